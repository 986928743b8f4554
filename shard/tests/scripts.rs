//! Golden scripts of evaluation: `testdata/shard/eval`, one scenario a file.

mod common;
#[path = "../../testdata/support/script.rs"]
mod script;

use common::commands::Session;
use common::world::World;
use shard::StoreConfig;
use std::path::Path;

#[test]
fn scripts() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/shard/eval");
    let start = || Session::new(World::new(StoreConfig::default()));
    script::run_all(&directory, start, |session: &mut Session, words| session.run(words));
}
