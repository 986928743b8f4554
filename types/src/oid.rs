//! PostgreSQL's object ids of the built-in types.

/// An object id of the catalog.
pub type Oid = u32;

/// `boolean`
pub const BOOL: Oid = 16;
/// `bytea`
pub const BYTEA: Oid = 17;
/// `"char"`
pub const CHAR: Oid = 18;
/// `name`
pub const NAME: Oid = 19;
/// `bigint`
pub const INT8: Oid = 20;
/// `smallint`
pub const INT2: Oid = 21;
/// `int2vector`
pub const INT2VECTOR: Oid = 22;
/// `integer`
pub const INT4: Oid = 23;
/// `regproc`
pub const REGPROC: Oid = 24;
/// `text`
pub const TEXT: Oid = 25;
/// `oid`
pub const OID: Oid = 26;
/// `tid`
pub const TID: Oid = 27;
/// `xid`
pub const XID: Oid = 28;
/// `cid`
pub const CID: Oid = 29;
/// `oidvector`
pub const OIDVECTOR: Oid = 30;
/// `json`
pub const JSON: Oid = 114;
/// `pg_node_tree`
pub const PG_NODE_TREE: Oid = 194;
/// `json[]`
pub const JSON_ARRAY: Oid = 199;
/// `table_am_handler`
pub const TABLE_AM_HANDLER: Oid = 269;
/// `xid8[]`
pub const XID8_ARRAY: Oid = 271;
/// `index_am_handler`
pub const INDEX_AM_HANDLER: Oid = 325;
/// `real`
pub const FLOAT4: Oid = 700;
/// `double precision`
pub const FLOAT8: Oid = 701;
/// `unknown`
pub const UNKNOWN: Oid = 705;
/// `boolean[]`
pub const BOOL_ARRAY: Oid = 1000;
/// `bytea[]`
pub const BYTEA_ARRAY: Oid = 1001;
/// `"char"[]`
pub const CHAR_ARRAY: Oid = 1002;
/// `name[]`
pub const NAME_ARRAY: Oid = 1003;
/// `smallint[]`
pub const INT2_ARRAY: Oid = 1005;
/// `int2vector[]`
pub const INT2VECTOR_ARRAY: Oid = 1006;
/// `integer[]`
pub const INT4_ARRAY: Oid = 1007;
/// `regproc[]`
pub const REGPROC_ARRAY: Oid = 1008;
/// `text[]`
pub const TEXT_ARRAY: Oid = 1009;
/// `tid[]`
pub const TID_ARRAY: Oid = 1010;
/// `xid[]`
pub const XID_ARRAY: Oid = 1011;
/// `cid[]`
pub const CID_ARRAY: Oid = 1012;
/// `oidvector[]`
pub const OIDVECTOR_ARRAY: Oid = 1013;
/// `character[]`
pub const BPCHAR_ARRAY: Oid = 1014;
/// `character varying[]`
pub const VARCHAR_ARRAY: Oid = 1015;
/// `bigint[]`
pub const INT8_ARRAY: Oid = 1016;
/// `real[]`
pub const FLOAT4_ARRAY: Oid = 1021;
/// `double precision[]`
pub const FLOAT8_ARRAY: Oid = 1022;
/// `oid[]`
pub const OID_ARRAY: Oid = 1028;
/// `aclitem`
pub const ACLITEM: Oid = 1033;
/// `aclitem[]`
pub const ACLITEM_ARRAY: Oid = 1034;
/// `character`
pub const BPCHAR: Oid = 1042;
/// `character varying`
pub const VARCHAR: Oid = 1043;
/// `date`
pub const DATE: Oid = 1082;
/// `time without time zone`
pub const TIME: Oid = 1083;
/// `timestamp without time zone`
pub const TIMESTAMP: Oid = 1114;
/// `timestamp without time zone[]`
pub const TIMESTAMP_ARRAY: Oid = 1115;
/// `date[]`
pub const DATE_ARRAY: Oid = 1182;
/// `time without time zone[]`
pub const TIME_ARRAY: Oid = 1183;
/// `timestamp with time zone`
pub const TIMESTAMPTZ: Oid = 1184;
/// `timestamp with time zone[]`
pub const TIMESTAMPTZ_ARRAY: Oid = 1185;
/// `interval`
pub const INTERVAL: Oid = 1186;
/// `interval[]`
pub const INTERVAL_ARRAY: Oid = 1187;
/// `numeric[]`
pub const NUMERIC_ARRAY: Oid = 1231;
/// `cstring[]`
pub const CSTRING_ARRAY: Oid = 1263;
/// `numeric`
pub const NUMERIC: Oid = 1700;
/// `regprocedure`
pub const REGPROCEDURE: Oid = 2202;
/// `regoper`
pub const REGOPER: Oid = 2203;
/// `regoperator`
pub const REGOPERATOR: Oid = 2204;
/// `regclass`
pub const REGCLASS: Oid = 2205;
/// `regtype`
pub const REGTYPE: Oid = 2206;
/// `regprocedure[]`
pub const REGPROCEDURE_ARRAY: Oid = 2207;
/// `regoper[]`
pub const REGOPER_ARRAY: Oid = 2208;
/// `regoperator[]`
pub const REGOPERATOR_ARRAY: Oid = 2209;
/// `regclass[]`
pub const REGCLASS_ARRAY: Oid = 2210;
/// `regtype[]`
pub const REGTYPE_ARRAY: Oid = 2211;
/// `record`
pub const RECORD: Oid = 2249;
/// `cstring`
pub const CSTRING: Oid = 2275;
/// `"any"`
pub const ANY: Oid = 2276;
/// `anyarray`
pub const ANYARRAY: Oid = 2277;
/// `void`
pub const VOID: Oid = 2278;
/// `trigger`
pub const TRIGGER: Oid = 2279;
/// `language_handler`
pub const LANGUAGE_HANDLER: Oid = 2280;
/// `internal`
pub const INTERNAL: Oid = 2281;
/// `anyelement`
pub const ANYELEMENT: Oid = 2283;
/// `record[]`
pub const RECORD_ARRAY: Oid = 2287;
/// `anynonarray`
pub const ANYNONARRAY: Oid = 2776;
/// `uuid`
pub const UUID: Oid = 2950;
/// `uuid[]`
pub const UUID_ARRAY: Oid = 2951;
/// `fdw_handler`
pub const FDW_HANDLER: Oid = 3115;
/// `pg_lsn`
pub const PG_LSN: Oid = 3220;
/// `pg_lsn[]`
pub const PG_LSN_ARRAY: Oid = 3221;
/// `anyenum`
pub const ANYENUM: Oid = 3500;
/// `jsonb`
pub const JSONB: Oid = 3802;
/// `jsonb[]`
pub const JSONB_ARRAY: Oid = 3807;
/// `anyrange`
pub const ANYRANGE: Oid = 3831;
/// `event_trigger`
pub const EVENT_TRIGGER: Oid = 3838;
/// `regnamespace`
pub const REGNAMESPACE: Oid = 4089;
/// `regnamespace[]`
pub const REGNAMESPACE_ARRAY: Oid = 4090;
/// `regrole`
pub const REGROLE: Oid = 4096;
/// `regrole[]`
pub const REGROLE_ARRAY: Oid = 4097;
/// `regcollation`
pub const REGCOLLATION: Oid = 4191;
/// `regcollation[]`
pub const REGCOLLATION_ARRAY: Oid = 4192;
/// `xid8`
pub const XID8: Oid = 5069;
/// `anycompatible`
pub const ANYCOMPATIBLE: Oid = 5077;
/// `anycompatiblearray`
pub const ANYCOMPATIBLEARRAY: Oid = 5078;
/// `anycompatiblenonarray`
pub const ANYCOMPATIBLENONARRAY: Oid = 5079;
