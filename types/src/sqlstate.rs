//! The SQLSTATE codes of PostgreSQL 15, complete.

use crate::SqlState;

// Class 00 - Successful Completion
/// successful completion
pub const SUCCESSFUL_COMPLETION: SqlState = SqlState("00000");
// Class 01 - Warning
/// warning
pub const WARNING: SqlState = SqlState("01000");
/// dynamic result sets returned
pub const WARNING_DYNAMIC_RESULT_SETS_RETURNED: SqlState = SqlState("0100C");
/// implicit zero bit padding
pub const WARNING_IMPLICIT_ZERO_BIT_PADDING: SqlState = SqlState("01008");
/// null value eliminated in set function
pub const WARNING_NULL_VALUE_ELIMINATED_IN_SET_FUNCTION: SqlState = SqlState("01003");
/// privilege not granted
pub const WARNING_PRIVILEGE_NOT_GRANTED: SqlState = SqlState("01007");
/// privilege not revoked
pub const WARNING_PRIVILEGE_NOT_REVOKED: SqlState = SqlState("01006");
/// string data right truncation
pub const WARNING_STRING_DATA_RIGHT_TRUNCATION: SqlState = SqlState("01004");
/// deprecated feature
pub const WARNING_DEPRECATED_FEATURE: SqlState = SqlState("01P01");
// Class 02 - No Data (this is also a warning class per the SQL standard)
/// no data
pub const NO_DATA: SqlState = SqlState("02000");
/// no additional dynamic result sets returned
pub const NO_ADDITIONAL_DYNAMIC_RESULT_SETS_RETURNED: SqlState = SqlState("02001");
// Class 03 - SQL Statement Not Yet Complete
/// sql statement not yet complete
pub const SQL_STATEMENT_NOT_YET_COMPLETE: SqlState = SqlState("03000");
// Class 08 - Connection Exception
/// connection exception
pub const CONNECTION_EXCEPTION: SqlState = SqlState("08000");
/// connection does not exist
pub const CONNECTION_DOES_NOT_EXIST: SqlState = SqlState("08003");
/// connection failure
pub const CONNECTION_FAILURE: SqlState = SqlState("08006");
/// sqlclient unable to establish sqlconnection
pub const SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION: SqlState = SqlState("08001");
/// sqlserver rejected establishment of sqlconnection
pub const SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION: SqlState = SqlState("08004");
/// transaction resolution unknown
pub const TRANSACTION_RESOLUTION_UNKNOWN: SqlState = SqlState("08007");
/// protocol violation
pub const PROTOCOL_VIOLATION: SqlState = SqlState("08P01");
// Class 09 - Triggered Action Exception
/// triggered action exception
pub const TRIGGERED_ACTION_EXCEPTION: SqlState = SqlState("09000");
// Class 0A - Feature Not Supported
/// feature not supported
pub const FEATURE_NOT_SUPPORTED: SqlState = SqlState("0A000");
// Class 0B - Invalid Transaction Initiation
/// invalid transaction initiation
pub const INVALID_TRANSACTION_INITIATION: SqlState = SqlState("0B000");
// Class 0F - Locator Exception
/// locator exception
pub const LOCATOR_EXCEPTION: SqlState = SqlState("0F000");
/// invalid locator specification
pub const L_E_INVALID_SPECIFICATION: SqlState = SqlState("0F001");
// Class 0L - Invalid Grantor
/// invalid grantor
pub const INVALID_GRANTOR: SqlState = SqlState("0L000");
/// invalid grant operation
pub const INVALID_GRANT_OPERATION: SqlState = SqlState("0LP01");
// Class 0P - Invalid Role Specification
/// invalid role specification
pub const INVALID_ROLE_SPECIFICATION: SqlState = SqlState("0P000");
// Class 0Z - Diagnostics Exception
/// diagnostics exception
pub const DIAGNOSTICS_EXCEPTION: SqlState = SqlState("0Z000");
/// stacked diagnostics accessed without active handler
pub const STACKED_DIAGNOSTICS_ACCESSED_WITHOUT_ACTIVE_HANDLER: SqlState = SqlState("0Z002");
// Class 20 - Case Not Found
/// case not found
pub const CASE_NOT_FOUND: SqlState = SqlState("20000");
// Class 21 - Cardinality Violation
/// cardinality violation
pub const CARDINALITY_VIOLATION: SqlState = SqlState("21000");
// Class 22 - Data Exception
/// data exception
pub const DATA_EXCEPTION: SqlState = SqlState("22000");
/// array element error
pub const ARRAY_ELEMENT_ERROR: SqlState = SqlState("2202E");
/// array subscript error
pub const ARRAY_SUBSCRIPT_ERROR: SqlState = SqlState("2202E");
/// character not in repertoire
pub const CHARACTER_NOT_IN_REPERTOIRE: SqlState = SqlState("22021");
/// datetime field overflow
pub const DATETIME_FIELD_OVERFLOW: SqlState = SqlState("22008");
/// datetime value out of range
pub const DATETIME_VALUE_OUT_OF_RANGE: SqlState = SqlState("22008");
/// division by zero
pub const DIVISION_BY_ZERO: SqlState = SqlState("22012");
/// error in assignment
pub const ERROR_IN_ASSIGNMENT: SqlState = SqlState("22005");
/// escape character conflict
pub const ESCAPE_CHARACTER_CONFLICT: SqlState = SqlState("2200B");
/// indicator overflow
pub const INDICATOR_OVERFLOW: SqlState = SqlState("22022");
/// interval field overflow
pub const INTERVAL_FIELD_OVERFLOW: SqlState = SqlState("22015");
/// invalid argument for logarithm
pub const INVALID_ARGUMENT_FOR_LOG: SqlState = SqlState("2201E");
/// invalid argument for ntile function
pub const INVALID_ARGUMENT_FOR_NTILE: SqlState = SqlState("22014");
/// invalid argument for nth value function
pub const INVALID_ARGUMENT_FOR_NTH_VALUE: SqlState = SqlState("22016");
/// invalid argument for power function
pub const INVALID_ARGUMENT_FOR_POWER_FUNCTION: SqlState = SqlState("2201F");
/// invalid argument for width bucket function
pub const INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION: SqlState = SqlState("2201G");
/// invalid character value for cast
pub const INVALID_CHARACTER_VALUE_FOR_CAST: SqlState = SqlState("22018");
/// invalid datetime format
pub const INVALID_DATETIME_FORMAT: SqlState = SqlState("22007");
/// invalid escape character
pub const INVALID_ESCAPE_CHARACTER: SqlState = SqlState("22019");
/// invalid escape octet
pub const INVALID_ESCAPE_OCTET: SqlState = SqlState("2200D");
/// invalid escape sequence
pub const INVALID_ESCAPE_SEQUENCE: SqlState = SqlState("22025");
/// nonstandard use of escape character
pub const NONSTANDARD_USE_OF_ESCAPE_CHARACTER: SqlState = SqlState("22P06");
/// invalid indicator parameter value
pub const INVALID_INDICATOR_PARAMETER_VALUE: SqlState = SqlState("22010");
/// invalid parameter value
pub const INVALID_PARAMETER_VALUE: SqlState = SqlState("22023");
/// invalid preceding or following size
pub const INVALID_PRECEDING_OR_FOLLOWING_SIZE: SqlState = SqlState("22013");
/// invalid regular expression
pub const INVALID_REGULAR_EXPRESSION: SqlState = SqlState("2201B");
/// invalid row count in limit clause
pub const INVALID_ROW_COUNT_IN_LIMIT_CLAUSE: SqlState = SqlState("2201W");
/// invalid row count in result offset clause
pub const INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE: SqlState = SqlState("2201X");
/// invalid tablesample argument
pub const INVALID_TABLESAMPLE_ARGUMENT: SqlState = SqlState("2202H");
/// invalid tablesample repeat
pub const INVALID_TABLESAMPLE_REPEAT: SqlState = SqlState("2202G");
/// invalid time zone displacement value
pub const INVALID_TIME_ZONE_DISPLACEMENT_VALUE: SqlState = SqlState("22009");
/// invalid use of escape character
pub const INVALID_USE_OF_ESCAPE_CHARACTER: SqlState = SqlState("2200C");
/// most specific type mismatch
pub const MOST_SPECIFIC_TYPE_MISMATCH: SqlState = SqlState("2200G");
/// null value not allowed
pub const NULL_VALUE_NOT_ALLOWED: SqlState = SqlState("22004");
/// null value no indicator parameter
pub const NULL_VALUE_NO_INDICATOR_PARAMETER: SqlState = SqlState("22002");
/// numeric value out of range
pub const NUMERIC_VALUE_OUT_OF_RANGE: SqlState = SqlState("22003");
/// sequence generator limit exceeded
pub const SEQUENCE_GENERATOR_LIMIT_EXCEEDED: SqlState = SqlState("2200H");
/// string data length mismatch
pub const STRING_DATA_LENGTH_MISMATCH: SqlState = SqlState("22026");
/// string data right truncation
pub const STRING_DATA_RIGHT_TRUNCATION: SqlState = SqlState("22001");
/// substring error
pub const SUBSTRING_ERROR: SqlState = SqlState("22011");
/// trim error
pub const TRIM_ERROR: SqlState = SqlState("22027");
/// unterminated c string
pub const UNTERMINATED_C_STRING: SqlState = SqlState("22024");
/// zero length character string
pub const ZERO_LENGTH_CHARACTER_STRING: SqlState = SqlState("2200F");
/// floating point exception
pub const FLOATING_POINT_EXCEPTION: SqlState = SqlState("22P01");
/// invalid text representation
pub const INVALID_TEXT_REPRESENTATION: SqlState = SqlState("22P02");
/// invalid binary representation
pub const INVALID_BINARY_REPRESENTATION: SqlState = SqlState("22P03");
/// bad copy file format
pub const BAD_COPY_FILE_FORMAT: SqlState = SqlState("22P04");
/// untranslatable character
pub const UNTRANSLATABLE_CHARACTER: SqlState = SqlState("22P05");
/// datum version mismatch
pub const DATUM_VERSION_MISMATCH: SqlState = SqlState("22P07");
/// not an xml document
pub const NOT_AN_XML_DOCUMENT: SqlState = SqlState("2200L");
/// invalid xml document
pub const INVALID_XML_DOCUMENT: SqlState = SqlState("2200M");
/// invalid xml content
pub const INVALID_XML_CONTENT: SqlState = SqlState("2200N");
/// invalid xml comment
pub const INVALID_XML_COMMENT: SqlState = SqlState("2200S");
/// invalid xml processing instruction
pub const INVALID_XML_PROCESSING_INSTRUCTION: SqlState = SqlState("2200T");
/// duplicate json object key value
pub const DUPLICATE_JSON_OBJECT_KEY_VALUE: SqlState = SqlState("22030");
/// invalid argument for sql json datetime function
pub const INVALID_ARGUMENT_FOR_SQL_JSON_DATETIME_FUNCTION: SqlState = SqlState("22031");
/// invalid json text
pub const INVALID_JSON_TEXT: SqlState = SqlState("22032");
/// invalid sql json subscript
pub const INVALID_SQL_JSON_SUBSCRIPT: SqlState = SqlState("22033");
/// more than one sql json item
pub const MORE_THAN_ONE_SQL_JSON_ITEM: SqlState = SqlState("22034");
/// no sql json item
pub const NO_SQL_JSON_ITEM: SqlState = SqlState("22035");
/// non numeric sql json item
pub const NON_NUMERIC_SQL_JSON_ITEM: SqlState = SqlState("22036");
/// non unique keys in a json object
pub const NON_UNIQUE_KEYS_IN_A_JSON_OBJECT: SqlState = SqlState("22037");
/// singleton sql json item required
pub const SINGLETON_SQL_JSON_ITEM_REQUIRED: SqlState = SqlState("22038");
/// sql json array not found
pub const SQL_JSON_ARRAY_NOT_FOUND: SqlState = SqlState("22039");
/// sql json member not found
pub const SQL_JSON_MEMBER_NOT_FOUND: SqlState = SqlState("2203A");
/// sql json number not found
pub const SQL_JSON_NUMBER_NOT_FOUND: SqlState = SqlState("2203B");
/// sql json object not found
pub const SQL_JSON_OBJECT_NOT_FOUND: SqlState = SqlState("2203C");
/// too many json array elements
pub const TOO_MANY_JSON_ARRAY_ELEMENTS: SqlState = SqlState("2203D");
/// too many json object members
pub const TOO_MANY_JSON_OBJECT_MEMBERS: SqlState = SqlState("2203E");
/// sql json scalar required
pub const SQL_JSON_SCALAR_REQUIRED: SqlState = SqlState("2203F");
/// sql json item cannot be cast to target type
pub const SQL_JSON_ITEM_CANNOT_BE_CAST_TO_TARGET_TYPE: SqlState = SqlState("2203G");
// Class 23 - Integrity Constraint Violation
/// integrity constraint violation
pub const INTEGRITY_CONSTRAINT_VIOLATION: SqlState = SqlState("23000");
/// restrict violation
pub const RESTRICT_VIOLATION: SqlState = SqlState("23001");
/// not null violation
pub const NOT_NULL_VIOLATION: SqlState = SqlState("23502");
/// foreign key violation
pub const FOREIGN_KEY_VIOLATION: SqlState = SqlState("23503");
/// unique violation
pub const UNIQUE_VIOLATION: SqlState = SqlState("23505");
/// check violation
pub const CHECK_VIOLATION: SqlState = SqlState("23514");
/// exclusion violation
pub const EXCLUSION_VIOLATION: SqlState = SqlState("23P01");
// Class 24 - Invalid Cursor State
/// invalid cursor state
pub const INVALID_CURSOR_STATE: SqlState = SqlState("24000");
// Class 25 - Invalid Transaction State
/// invalid transaction state
pub const INVALID_TRANSACTION_STATE: SqlState = SqlState("25000");
/// active sql transaction
pub const ACTIVE_SQL_TRANSACTION: SqlState = SqlState("25001");
/// branch transaction already active
pub const BRANCH_TRANSACTION_ALREADY_ACTIVE: SqlState = SqlState("25002");
/// held cursor requires same isolation level
pub const HELD_CURSOR_REQUIRES_SAME_ISOLATION_LEVEL: SqlState = SqlState("25008");
/// inappropriate access mode for branch transaction
pub const INAPPROPRIATE_ACCESS_MODE_FOR_BRANCH_TRANSACTION: SqlState = SqlState("25003");
/// inappropriate isolation level for branch transaction
pub const INAPPROPRIATE_ISOLATION_LEVEL_FOR_BRANCH_TRANSACTION: SqlState = SqlState("25004");
/// no active sql transaction for branch transaction
pub const NO_ACTIVE_SQL_TRANSACTION_FOR_BRANCH_TRANSACTION: SqlState = SqlState("25005");
/// read only sql transaction
pub const READ_ONLY_SQL_TRANSACTION: SqlState = SqlState("25006");
/// schema and data statement mixing not supported
pub const SCHEMA_AND_DATA_STATEMENT_MIXING_NOT_SUPPORTED: SqlState = SqlState("25007");
/// no active sql transaction
pub const NO_ACTIVE_SQL_TRANSACTION: SqlState = SqlState("25P01");
/// in failed sql transaction
pub const IN_FAILED_SQL_TRANSACTION: SqlState = SqlState("25P02");
/// idle in transaction session timeout
pub const IDLE_IN_TRANSACTION_SESSION_TIMEOUT: SqlState = SqlState("25P03");
// Class 26 - Invalid SQL Statement Name
/// invalid sql statement name
pub const INVALID_SQL_STATEMENT_NAME: SqlState = SqlState("26000");
// Class 27 - Triggered Data Change Violation
/// triggered data change violation
pub const TRIGGERED_DATA_CHANGE_VIOLATION: SqlState = SqlState("27000");
// Class 28 - Invalid Authorization Specification
/// invalid authorization specification
pub const INVALID_AUTHORIZATION_SPECIFICATION: SqlState = SqlState("28000");
/// invalid password
pub const INVALID_PASSWORD: SqlState = SqlState("28P01");
// Class 2B - Dependent Privilege Descriptors Still Exist
/// dependent privilege descriptors still exist
pub const DEPENDENT_PRIVILEGE_DESCRIPTORS_STILL_EXIST: SqlState = SqlState("2B000");
/// dependent objects still exist
pub const DEPENDENT_OBJECTS_STILL_EXIST: SqlState = SqlState("2BP01");
// Class 2D - Invalid Transaction Termination
/// invalid transaction termination
pub const INVALID_TRANSACTION_TERMINATION: SqlState = SqlState("2D000");
// Class 2F - SQL Routine Exception
/// sql routine exception
pub const SQL_ROUTINE_EXCEPTION: SqlState = SqlState("2F000");
/// function executed no return statement
pub const S_R_E_FUNCTION_EXECUTED_NO_RETURN_STATEMENT: SqlState = SqlState("2F005");
/// modifying sql data not permitted
pub const S_R_E_MODIFYING_SQL_DATA_NOT_PERMITTED: SqlState = SqlState("2F002");
/// prohibited sql statement attempted
pub const S_R_E_PROHIBITED_SQL_STATEMENT_ATTEMPTED: SqlState = SqlState("2F003");
/// reading sql data not permitted
pub const S_R_E_READING_SQL_DATA_NOT_PERMITTED: SqlState = SqlState("2F004");
// Class 34 - Invalid Cursor Name
/// invalid cursor name
pub const INVALID_CURSOR_NAME: SqlState = SqlState("34000");
// Class 38 - External Routine Exception
/// external routine exception
pub const EXTERNAL_ROUTINE_EXCEPTION: SqlState = SqlState("38000");
/// containing sql not permitted
pub const E_R_E_CONTAINING_SQL_NOT_PERMITTED: SqlState = SqlState("38001");
/// modifying sql data not permitted
pub const E_R_E_MODIFYING_SQL_DATA_NOT_PERMITTED: SqlState = SqlState("38002");
/// prohibited sql statement attempted
pub const E_R_E_PROHIBITED_SQL_STATEMENT_ATTEMPTED: SqlState = SqlState("38003");
/// reading sql data not permitted
pub const E_R_E_READING_SQL_DATA_NOT_PERMITTED: SqlState = SqlState("38004");
// Class 39 - External Routine Invocation Exception
/// external routine invocation exception
pub const EXTERNAL_ROUTINE_INVOCATION_EXCEPTION: SqlState = SqlState("39000");
/// invalid sqlstate returned
pub const E_R_I_E_INVALID_SQLSTATE_RETURNED: SqlState = SqlState("39001");
/// null value not allowed
pub const E_R_I_E_NULL_VALUE_NOT_ALLOWED: SqlState = SqlState("39004");
/// trigger protocol violated
pub const E_R_I_E_TRIGGER_PROTOCOL_VIOLATED: SqlState = SqlState("39P01");
/// srf protocol violated
pub const E_R_I_E_SRF_PROTOCOL_VIOLATED: SqlState = SqlState("39P02");
/// event trigger protocol violated
pub const E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED: SqlState = SqlState("39P03");
// Class 3B - Savepoint Exception
/// savepoint exception
pub const SAVEPOINT_EXCEPTION: SqlState = SqlState("3B000");
/// invalid savepoint specification
pub const S_E_INVALID_SPECIFICATION: SqlState = SqlState("3B001");
// Class 3D - Invalid Catalog Name
/// invalid catalog name
pub const INVALID_CATALOG_NAME: SqlState = SqlState("3D000");
// Class 3F - Invalid Schema Name
/// invalid schema name
pub const INVALID_SCHEMA_NAME: SqlState = SqlState("3F000");
// Class 40 - Transaction Rollback
/// transaction rollback
pub const TRANSACTION_ROLLBACK: SqlState = SqlState("40000");
/// transaction integrity constraint violation
pub const T_R_INTEGRITY_CONSTRAINT_VIOLATION: SqlState = SqlState("40002");
/// serialization failure
pub const T_R_SERIALIZATION_FAILURE: SqlState = SqlState("40001");
/// statement completion unknown
pub const T_R_STATEMENT_COMPLETION_UNKNOWN: SqlState = SqlState("40003");
/// deadlock detected
pub const T_R_DEADLOCK_DETECTED: SqlState = SqlState("40P01");
// Class 42 - Syntax Error or Access Rule Violation
/// syntax error or access rule violation
pub const SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION: SqlState = SqlState("42000");
/// syntax error
pub const SYNTAX_ERROR: SqlState = SqlState("42601");
/// insufficient privilege
pub const INSUFFICIENT_PRIVILEGE: SqlState = SqlState("42501");
/// cannot coerce
pub const CANNOT_COERCE: SqlState = SqlState("42846");
/// grouping error
pub const GROUPING_ERROR: SqlState = SqlState("42803");
/// windowing error
pub const WINDOWING_ERROR: SqlState = SqlState("42P20");
/// invalid recursion
pub const INVALID_RECURSION: SqlState = SqlState("42P19");
/// invalid foreign key
pub const INVALID_FOREIGN_KEY: SqlState = SqlState("42830");
/// invalid name
pub const INVALID_NAME: SqlState = SqlState("42602");
/// name too long
pub const NAME_TOO_LONG: SqlState = SqlState("42622");
/// reserved name
pub const RESERVED_NAME: SqlState = SqlState("42939");
/// datatype mismatch
pub const DATATYPE_MISMATCH: SqlState = SqlState("42804");
/// indeterminate datatype
pub const INDETERMINATE_DATATYPE: SqlState = SqlState("42P18");
/// collation mismatch
pub const COLLATION_MISMATCH: SqlState = SqlState("42P21");
/// indeterminate collation
pub const INDETERMINATE_COLLATION: SqlState = SqlState("42P22");
/// wrong object type
pub const WRONG_OBJECT_TYPE: SqlState = SqlState("42809");
/// generated always
pub const GENERATED_ALWAYS: SqlState = SqlState("428C9");
/// undefined column
pub const UNDEFINED_COLUMN: SqlState = SqlState("42703");
/// undefined cursor
pub const UNDEFINED_CURSOR: SqlState = SqlState("34000");
/// undefined database
pub const UNDEFINED_DATABASE: SqlState = SqlState("3D000");
/// undefined function
pub const UNDEFINED_FUNCTION: SqlState = SqlState("42883");
/// undefined pstatement
pub const UNDEFINED_PSTATEMENT: SqlState = SqlState("26000");
/// undefined schema
pub const UNDEFINED_SCHEMA: SqlState = SqlState("3F000");
/// undefined table
pub const UNDEFINED_TABLE: SqlState = SqlState("42P01");
/// undefined parameter
pub const UNDEFINED_PARAMETER: SqlState = SqlState("42P02");
/// undefined object
pub const UNDEFINED_OBJECT: SqlState = SqlState("42704");
/// duplicate column
pub const DUPLICATE_COLUMN: SqlState = SqlState("42701");
/// duplicate cursor
pub const DUPLICATE_CURSOR: SqlState = SqlState("42P03");
/// duplicate database
pub const DUPLICATE_DATABASE: SqlState = SqlState("42P04");
/// duplicate function
pub const DUPLICATE_FUNCTION: SqlState = SqlState("42723");
/// duplicate prepared statement
pub const DUPLICATE_PSTATEMENT: SqlState = SqlState("42P05");
/// duplicate schema
pub const DUPLICATE_SCHEMA: SqlState = SqlState("42P06");
/// duplicate table
pub const DUPLICATE_TABLE: SqlState = SqlState("42P07");
/// duplicate alias
pub const DUPLICATE_ALIAS: SqlState = SqlState("42712");
/// duplicate object
pub const DUPLICATE_OBJECT: SqlState = SqlState("42710");
/// ambiguous column
pub const AMBIGUOUS_COLUMN: SqlState = SqlState("42702");
/// ambiguous function
pub const AMBIGUOUS_FUNCTION: SqlState = SqlState("42725");
/// ambiguous parameter
pub const AMBIGUOUS_PARAMETER: SqlState = SqlState("42P08");
/// ambiguous alias
pub const AMBIGUOUS_ALIAS: SqlState = SqlState("42P09");
/// invalid column reference
pub const INVALID_COLUMN_REFERENCE: SqlState = SqlState("42P10");
/// invalid column definition
pub const INVALID_COLUMN_DEFINITION: SqlState = SqlState("42611");
/// invalid cursor definition
pub const INVALID_CURSOR_DEFINITION: SqlState = SqlState("42P11");
/// invalid database definition
pub const INVALID_DATABASE_DEFINITION: SqlState = SqlState("42P12");
/// invalid function definition
pub const INVALID_FUNCTION_DEFINITION: SqlState = SqlState("42P13");
/// invalid prepared statement definition
pub const INVALID_PSTATEMENT_DEFINITION: SqlState = SqlState("42P14");
/// invalid schema definition
pub const INVALID_SCHEMA_DEFINITION: SqlState = SqlState("42P15");
/// invalid table definition
pub const INVALID_TABLE_DEFINITION: SqlState = SqlState("42P16");
/// invalid object definition
pub const INVALID_OBJECT_DEFINITION: SqlState = SqlState("42P17");
// Class 44 - WITH CHECK OPTION Violation
/// with check option violation
pub const WITH_CHECK_OPTION_VIOLATION: SqlState = SqlState("44000");
// Class 53 - Insufficient Resources
/// insufficient resources
pub const INSUFFICIENT_RESOURCES: SqlState = SqlState("53000");
/// disk full
pub const DISK_FULL: SqlState = SqlState("53100");
/// out of memory
pub const OUT_OF_MEMORY: SqlState = SqlState("53200");
/// too many connections
pub const TOO_MANY_CONNECTIONS: SqlState = SqlState("53300");
/// configuration limit exceeded
pub const CONFIGURATION_LIMIT_EXCEEDED: SqlState = SqlState("53400");
// Class 54 - Program Limit Exceeded
/// program limit exceeded
pub const PROGRAM_LIMIT_EXCEEDED: SqlState = SqlState("54000");
/// statement too complex
pub const STATEMENT_TOO_COMPLEX: SqlState = SqlState("54001");
/// too many columns
pub const TOO_MANY_COLUMNS: SqlState = SqlState("54011");
/// too many arguments
pub const TOO_MANY_ARGUMENTS: SqlState = SqlState("54023");
// Class 55 - Object Not In Prerequisite State
/// object not in prerequisite state
pub const OBJECT_NOT_IN_PREREQUISITE_STATE: SqlState = SqlState("55000");
/// object in use
pub const OBJECT_IN_USE: SqlState = SqlState("55006");
/// cant change runtime param
pub const CANT_CHANGE_RUNTIME_PARAM: SqlState = SqlState("55P02");
/// lock not available
pub const LOCK_NOT_AVAILABLE: SqlState = SqlState("55P03");
/// unsafe new enum value usage
pub const UNSAFE_NEW_ENUM_VALUE_USAGE: SqlState = SqlState("55P04");
// Class 57 - Operator Intervention
/// operator intervention
pub const OPERATOR_INTERVENTION: SqlState = SqlState("57000");
/// query canceled
pub const QUERY_CANCELED: SqlState = SqlState("57014");
/// admin shutdown
pub const ADMIN_SHUTDOWN: SqlState = SqlState("57P01");
/// crash shutdown
pub const CRASH_SHUTDOWN: SqlState = SqlState("57P02");
/// cannot connect now
pub const CANNOT_CONNECT_NOW: SqlState = SqlState("57P03");
/// database dropped
pub const DATABASE_DROPPED: SqlState = SqlState("57P04");
/// idle session timeout
pub const IDLE_SESSION_TIMEOUT: SqlState = SqlState("57P05");
// Class 58 - System Error (errors external to PostgreSQL itself)
/// system error
pub const SYSTEM_ERROR: SqlState = SqlState("58000");
/// io error
pub const IO_ERROR: SqlState = SqlState("58030");
/// undefined file
pub const UNDEFINED_FILE: SqlState = SqlState("58P01");
/// duplicate file
pub const DUPLICATE_FILE: SqlState = SqlState("58P02");
// Class 72 - Snapshot Failure
/// snapshot too old
pub const SNAPSHOT_TOO_OLD: SqlState = SqlState("72000");
// Class F0 - Configuration File Error
/// config file error
pub const CONFIG_FILE_ERROR: SqlState = SqlState("F0000");
/// lock file exists
pub const LOCK_FILE_EXISTS: SqlState = SqlState("F0001");
// Class HV - Foreign Data Wrapper Error (SQL/MED)
/// fdw error
pub const FDW_ERROR: SqlState = SqlState("HV000");
/// fdw column name not found
pub const FDW_COLUMN_NAME_NOT_FOUND: SqlState = SqlState("HV005");
/// fdw dynamic parameter value needed
pub const FDW_DYNAMIC_PARAMETER_VALUE_NEEDED: SqlState = SqlState("HV002");
/// fdw function sequence error
pub const FDW_FUNCTION_SEQUENCE_ERROR: SqlState = SqlState("HV010");
/// fdw inconsistent descriptor information
pub const FDW_INCONSISTENT_DESCRIPTOR_INFORMATION: SqlState = SqlState("HV021");
/// fdw invalid attribute value
pub const FDW_INVALID_ATTRIBUTE_VALUE: SqlState = SqlState("HV024");
/// fdw invalid column name
pub const FDW_INVALID_COLUMN_NAME: SqlState = SqlState("HV007");
/// fdw invalid column number
pub const FDW_INVALID_COLUMN_NUMBER: SqlState = SqlState("HV008");
/// fdw invalid data type
pub const FDW_INVALID_DATA_TYPE: SqlState = SqlState("HV004");
/// fdw invalid data type descriptors
pub const FDW_INVALID_DATA_TYPE_DESCRIPTORS: SqlState = SqlState("HV006");
/// fdw invalid descriptor field identifier
pub const FDW_INVALID_DESCRIPTOR_FIELD_IDENTIFIER: SqlState = SqlState("HV091");
/// fdw invalid handle
pub const FDW_INVALID_HANDLE: SqlState = SqlState("HV00B");
/// fdw invalid option index
pub const FDW_INVALID_OPTION_INDEX: SqlState = SqlState("HV00C");
/// fdw invalid option name
pub const FDW_INVALID_OPTION_NAME: SqlState = SqlState("HV00D");
/// fdw invalid string length or buffer length
pub const FDW_INVALID_STRING_LENGTH_OR_BUFFER_LENGTH: SqlState = SqlState("HV090");
/// fdw invalid string format
pub const FDW_INVALID_STRING_FORMAT: SqlState = SqlState("HV00A");
/// fdw invalid use of null pointer
pub const FDW_INVALID_USE_OF_NULL_POINTER: SqlState = SqlState("HV009");
/// fdw too many handles
pub const FDW_TOO_MANY_HANDLES: SqlState = SqlState("HV014");
/// fdw out of memory
pub const FDW_OUT_OF_MEMORY: SqlState = SqlState("HV001");
/// fdw no schemas
pub const FDW_NO_SCHEMAS: SqlState = SqlState("HV00P");
/// fdw option name not found
pub const FDW_OPTION_NAME_NOT_FOUND: SqlState = SqlState("HV00J");
/// fdw reply handle
pub const FDW_REPLY_HANDLE: SqlState = SqlState("HV00K");
/// fdw schema not found
pub const FDW_SCHEMA_NOT_FOUND: SqlState = SqlState("HV00Q");
/// fdw table not found
pub const FDW_TABLE_NOT_FOUND: SqlState = SqlState("HV00R");
/// fdw unable to create execution
pub const FDW_UNABLE_TO_CREATE_EXECUTION: SqlState = SqlState("HV00L");
/// fdw unable to create reply
pub const FDW_UNABLE_TO_CREATE_REPLY: SqlState = SqlState("HV00M");
/// fdw unable to establish connection
pub const FDW_UNABLE_TO_ESTABLISH_CONNECTION: SqlState = SqlState("HV00N");
// Class P0 - PL/pgSQL Error
/// plpgsql error
pub const PLPGSQL_ERROR: SqlState = SqlState("P0000");
/// raise exception
pub const RAISE_EXCEPTION: SqlState = SqlState("P0001");
/// no data found
pub const NO_DATA_FOUND: SqlState = SqlState("P0002");
/// too many rows
pub const TOO_MANY_ROWS: SqlState = SqlState("P0003");
/// assert failure
pub const ASSERT_FAILURE: SqlState = SqlState("P0004");
// Class XX - Internal Error
/// internal error
pub const INTERNAL_ERROR: SqlState = SqlState("XX000");
/// data corrupted
pub const DATA_CORRUPTED: SqlState = SqlState("XX001");
/// index corrupted
pub const INDEX_CORRUPTED: SqlState = SqlState("XX002");

/// Every code once, sorted.
pub(crate) const ALL: &[SqlState] = &[
    SUCCESSFUL_COMPLETION,
    WARNING,
    WARNING_NULL_VALUE_ELIMINATED_IN_SET_FUNCTION,
    WARNING_STRING_DATA_RIGHT_TRUNCATION,
    WARNING_PRIVILEGE_NOT_REVOKED,
    WARNING_PRIVILEGE_NOT_GRANTED,
    WARNING_IMPLICIT_ZERO_BIT_PADDING,
    WARNING_DYNAMIC_RESULT_SETS_RETURNED,
    WARNING_DEPRECATED_FEATURE,
    NO_DATA,
    NO_ADDITIONAL_DYNAMIC_RESULT_SETS_RETURNED,
    SQL_STATEMENT_NOT_YET_COMPLETE,
    CONNECTION_EXCEPTION,
    SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
    CONNECTION_DOES_NOT_EXIST,
    SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION,
    CONNECTION_FAILURE,
    TRANSACTION_RESOLUTION_UNKNOWN,
    PROTOCOL_VIOLATION,
    TRIGGERED_ACTION_EXCEPTION,
    FEATURE_NOT_SUPPORTED,
    INVALID_TRANSACTION_INITIATION,
    LOCATOR_EXCEPTION,
    L_E_INVALID_SPECIFICATION,
    INVALID_GRANTOR,
    INVALID_GRANT_OPERATION,
    INVALID_ROLE_SPECIFICATION,
    DIAGNOSTICS_EXCEPTION,
    STACKED_DIAGNOSTICS_ACCESSED_WITHOUT_ACTIVE_HANDLER,
    CASE_NOT_FOUND,
    CARDINALITY_VIOLATION,
    DATA_EXCEPTION,
    STRING_DATA_RIGHT_TRUNCATION,
    NULL_VALUE_NO_INDICATOR_PARAMETER,
    NUMERIC_VALUE_OUT_OF_RANGE,
    NULL_VALUE_NOT_ALLOWED,
    ERROR_IN_ASSIGNMENT,
    INVALID_DATETIME_FORMAT,
    DATETIME_FIELD_OVERFLOW,
    INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
    ESCAPE_CHARACTER_CONFLICT,
    INVALID_USE_OF_ESCAPE_CHARACTER,
    INVALID_ESCAPE_OCTET,
    ZERO_LENGTH_CHARACTER_STRING,
    MOST_SPECIFIC_TYPE_MISMATCH,
    SEQUENCE_GENERATOR_LIMIT_EXCEEDED,
    NOT_AN_XML_DOCUMENT,
    INVALID_XML_DOCUMENT,
    INVALID_XML_CONTENT,
    INVALID_XML_COMMENT,
    INVALID_XML_PROCESSING_INSTRUCTION,
    INVALID_INDICATOR_PARAMETER_VALUE,
    SUBSTRING_ERROR,
    DIVISION_BY_ZERO,
    INVALID_PRECEDING_OR_FOLLOWING_SIZE,
    INVALID_ARGUMENT_FOR_NTILE,
    INTERVAL_FIELD_OVERFLOW,
    INVALID_ARGUMENT_FOR_NTH_VALUE,
    INVALID_CHARACTER_VALUE_FOR_CAST,
    INVALID_ESCAPE_CHARACTER,
    INVALID_REGULAR_EXPRESSION,
    INVALID_ARGUMENT_FOR_LOG,
    INVALID_ARGUMENT_FOR_POWER_FUNCTION,
    INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION,
    INVALID_ROW_COUNT_IN_LIMIT_CLAUSE,
    INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE,
    CHARACTER_NOT_IN_REPERTOIRE,
    INDICATOR_OVERFLOW,
    INVALID_PARAMETER_VALUE,
    UNTERMINATED_C_STRING,
    INVALID_ESCAPE_SEQUENCE,
    STRING_DATA_LENGTH_MISMATCH,
    TRIM_ERROR,
    ARRAY_ELEMENT_ERROR,
    INVALID_TABLESAMPLE_REPEAT,
    INVALID_TABLESAMPLE_ARGUMENT,
    DUPLICATE_JSON_OBJECT_KEY_VALUE,
    INVALID_ARGUMENT_FOR_SQL_JSON_DATETIME_FUNCTION,
    INVALID_JSON_TEXT,
    INVALID_SQL_JSON_SUBSCRIPT,
    MORE_THAN_ONE_SQL_JSON_ITEM,
    NO_SQL_JSON_ITEM,
    NON_NUMERIC_SQL_JSON_ITEM,
    NON_UNIQUE_KEYS_IN_A_JSON_OBJECT,
    SINGLETON_SQL_JSON_ITEM_REQUIRED,
    SQL_JSON_ARRAY_NOT_FOUND,
    SQL_JSON_MEMBER_NOT_FOUND,
    SQL_JSON_NUMBER_NOT_FOUND,
    SQL_JSON_OBJECT_NOT_FOUND,
    TOO_MANY_JSON_ARRAY_ELEMENTS,
    TOO_MANY_JSON_OBJECT_MEMBERS,
    SQL_JSON_SCALAR_REQUIRED,
    SQL_JSON_ITEM_CANNOT_BE_CAST_TO_TARGET_TYPE,
    FLOATING_POINT_EXCEPTION,
    INVALID_TEXT_REPRESENTATION,
    INVALID_BINARY_REPRESENTATION,
    BAD_COPY_FILE_FORMAT,
    UNTRANSLATABLE_CHARACTER,
    NONSTANDARD_USE_OF_ESCAPE_CHARACTER,
    DATUM_VERSION_MISMATCH,
    INTEGRITY_CONSTRAINT_VIOLATION,
    RESTRICT_VIOLATION,
    NOT_NULL_VIOLATION,
    FOREIGN_KEY_VIOLATION,
    UNIQUE_VIOLATION,
    CHECK_VIOLATION,
    EXCLUSION_VIOLATION,
    INVALID_CURSOR_STATE,
    INVALID_TRANSACTION_STATE,
    ACTIVE_SQL_TRANSACTION,
    BRANCH_TRANSACTION_ALREADY_ACTIVE,
    INAPPROPRIATE_ACCESS_MODE_FOR_BRANCH_TRANSACTION,
    INAPPROPRIATE_ISOLATION_LEVEL_FOR_BRANCH_TRANSACTION,
    NO_ACTIVE_SQL_TRANSACTION_FOR_BRANCH_TRANSACTION,
    READ_ONLY_SQL_TRANSACTION,
    SCHEMA_AND_DATA_STATEMENT_MIXING_NOT_SUPPORTED,
    HELD_CURSOR_REQUIRES_SAME_ISOLATION_LEVEL,
    NO_ACTIVE_SQL_TRANSACTION,
    IN_FAILED_SQL_TRANSACTION,
    IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    INVALID_SQL_STATEMENT_NAME,
    TRIGGERED_DATA_CHANGE_VIOLATION,
    INVALID_AUTHORIZATION_SPECIFICATION,
    INVALID_PASSWORD,
    DEPENDENT_PRIVILEGE_DESCRIPTORS_STILL_EXIST,
    DEPENDENT_OBJECTS_STILL_EXIST,
    INVALID_TRANSACTION_TERMINATION,
    SQL_ROUTINE_EXCEPTION,
    S_R_E_MODIFYING_SQL_DATA_NOT_PERMITTED,
    S_R_E_PROHIBITED_SQL_STATEMENT_ATTEMPTED,
    S_R_E_READING_SQL_DATA_NOT_PERMITTED,
    S_R_E_FUNCTION_EXECUTED_NO_RETURN_STATEMENT,
    INVALID_CURSOR_NAME,
    EXTERNAL_ROUTINE_EXCEPTION,
    E_R_E_CONTAINING_SQL_NOT_PERMITTED,
    E_R_E_MODIFYING_SQL_DATA_NOT_PERMITTED,
    E_R_E_PROHIBITED_SQL_STATEMENT_ATTEMPTED,
    E_R_E_READING_SQL_DATA_NOT_PERMITTED,
    EXTERNAL_ROUTINE_INVOCATION_EXCEPTION,
    E_R_I_E_INVALID_SQLSTATE_RETURNED,
    E_R_I_E_NULL_VALUE_NOT_ALLOWED,
    E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
    E_R_I_E_SRF_PROTOCOL_VIOLATED,
    E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED,
    SAVEPOINT_EXCEPTION,
    S_E_INVALID_SPECIFICATION,
    INVALID_CATALOG_NAME,
    INVALID_SCHEMA_NAME,
    TRANSACTION_ROLLBACK,
    T_R_SERIALIZATION_FAILURE,
    T_R_INTEGRITY_CONSTRAINT_VIOLATION,
    T_R_STATEMENT_COMPLETION_UNKNOWN,
    T_R_DEADLOCK_DETECTED,
    SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION,
    INSUFFICIENT_PRIVILEGE,
    SYNTAX_ERROR,
    INVALID_NAME,
    INVALID_COLUMN_DEFINITION,
    NAME_TOO_LONG,
    DUPLICATE_COLUMN,
    AMBIGUOUS_COLUMN,
    UNDEFINED_COLUMN,
    UNDEFINED_OBJECT,
    DUPLICATE_OBJECT,
    DUPLICATE_ALIAS,
    DUPLICATE_FUNCTION,
    AMBIGUOUS_FUNCTION,
    GROUPING_ERROR,
    DATATYPE_MISMATCH,
    WRONG_OBJECT_TYPE,
    INVALID_FOREIGN_KEY,
    CANNOT_COERCE,
    UNDEFINED_FUNCTION,
    GENERATED_ALWAYS,
    RESERVED_NAME,
    UNDEFINED_TABLE,
    UNDEFINED_PARAMETER,
    DUPLICATE_CURSOR,
    DUPLICATE_DATABASE,
    DUPLICATE_PSTATEMENT,
    DUPLICATE_SCHEMA,
    DUPLICATE_TABLE,
    AMBIGUOUS_PARAMETER,
    AMBIGUOUS_ALIAS,
    INVALID_COLUMN_REFERENCE,
    INVALID_CURSOR_DEFINITION,
    INVALID_DATABASE_DEFINITION,
    INVALID_FUNCTION_DEFINITION,
    INVALID_PSTATEMENT_DEFINITION,
    INVALID_SCHEMA_DEFINITION,
    INVALID_TABLE_DEFINITION,
    INVALID_OBJECT_DEFINITION,
    INDETERMINATE_DATATYPE,
    INVALID_RECURSION,
    WINDOWING_ERROR,
    COLLATION_MISMATCH,
    INDETERMINATE_COLLATION,
    WITH_CHECK_OPTION_VIOLATION,
    INSUFFICIENT_RESOURCES,
    DISK_FULL,
    OUT_OF_MEMORY,
    TOO_MANY_CONNECTIONS,
    CONFIGURATION_LIMIT_EXCEEDED,
    PROGRAM_LIMIT_EXCEEDED,
    STATEMENT_TOO_COMPLEX,
    TOO_MANY_COLUMNS,
    TOO_MANY_ARGUMENTS,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    OBJECT_IN_USE,
    CANT_CHANGE_RUNTIME_PARAM,
    LOCK_NOT_AVAILABLE,
    UNSAFE_NEW_ENUM_VALUE_USAGE,
    OPERATOR_INTERVENTION,
    QUERY_CANCELED,
    ADMIN_SHUTDOWN,
    CRASH_SHUTDOWN,
    CANNOT_CONNECT_NOW,
    DATABASE_DROPPED,
    IDLE_SESSION_TIMEOUT,
    SYSTEM_ERROR,
    IO_ERROR,
    UNDEFINED_FILE,
    DUPLICATE_FILE,
    SNAPSHOT_TOO_OLD,
    CONFIG_FILE_ERROR,
    LOCK_FILE_EXISTS,
    FDW_ERROR,
    FDW_OUT_OF_MEMORY,
    FDW_DYNAMIC_PARAMETER_VALUE_NEEDED,
    FDW_INVALID_DATA_TYPE,
    FDW_COLUMN_NAME_NOT_FOUND,
    FDW_INVALID_DATA_TYPE_DESCRIPTORS,
    FDW_INVALID_COLUMN_NAME,
    FDW_INVALID_COLUMN_NUMBER,
    FDW_INVALID_USE_OF_NULL_POINTER,
    FDW_INVALID_STRING_FORMAT,
    FDW_INVALID_HANDLE,
    FDW_INVALID_OPTION_INDEX,
    FDW_INVALID_OPTION_NAME,
    FDW_OPTION_NAME_NOT_FOUND,
    FDW_REPLY_HANDLE,
    FDW_UNABLE_TO_CREATE_EXECUTION,
    FDW_UNABLE_TO_CREATE_REPLY,
    FDW_UNABLE_TO_ESTABLISH_CONNECTION,
    FDW_NO_SCHEMAS,
    FDW_SCHEMA_NOT_FOUND,
    FDW_TABLE_NOT_FOUND,
    FDW_FUNCTION_SEQUENCE_ERROR,
    FDW_TOO_MANY_HANDLES,
    FDW_INCONSISTENT_DESCRIPTOR_INFORMATION,
    FDW_INVALID_ATTRIBUTE_VALUE,
    FDW_INVALID_STRING_LENGTH_OR_BUFFER_LENGTH,
    FDW_INVALID_DESCRIPTOR_FIELD_IDENTIFIER,
    PLPGSQL_ERROR,
    RAISE_EXCEPTION,
    NO_DATA_FOUND,
    TOO_MANY_ROWS,
    ASSERT_FAILURE,
    INTERNAL_ERROR,
    DATA_CORRUPTED,
    INDEX_CORRUPTED,
];
