//! Golden scripts of evaluation: `testdata/shard/eval`, one scenario a file.

use crate::common::commands::Session;
use crate::common::world::World;
use crate::script;
use shard::StoreConfig;
use std::path::Path;

#[test]
fn scripts() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/shard/eval");
    let start = || Session::new(World::new(StoreConfig::default()));
    script::run_all(&directory, start, |session: &mut Session, words| session.run(words));
}
