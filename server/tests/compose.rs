//! `docker-compose.yml` and `Dockerfile` against the command line as it is: a renamed flag or a
//! forgotten volume is found here, not by whoever starts the cluster.

use serde_yaml_ng::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

fn repository(file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn compose() -> Value {
    let mut compose: Value =
        serde_yaml_ng::from_str(&repository("docker-compose.yml")).expect("YAML");
    compose.apply_merge().expect("merge keys");
    compose
}

fn services(compose: &Value) -> Vec<(String, &Value)> {
    let services = compose["services"].as_mapping().expect("services");
    services.iter().map(|(name, service)| (text(name), service)).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value:?} is not a text")).to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value
        .as_sequence()
        .unwrap_or_else(|| panic!("{value:?} is not a list"))
        .iter()
        .map(text)
        .collect()
}

/// The value of `--flag=value` in a command.
fn flag(command: &[String], flag: &str) -> Option<String> {
    let prefix = format!("--{flag}=");
    command.iter().find_map(|word| word.strip_prefix(&prefix)).map(str::to_owned)
}

/// The binary checks flags and values from left to right before it comes to `--help`.
fn is_accepted(command: &[String]) -> Result<(), String> {
    let output = Command::new(env!("CARGO_BIN_EXE_sharddb"))
        .args(command)
        .arg("--help")
        .output()
        .expect("the binary runs");
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// `docker compose config`, where Docker Compose is installed; it needs no engine.
#[test]
fn compose_reads_it_without_a_complaint() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docker-compose.yml");
    let compose = |args: &[&str]| {
        Command::new("docker").arg("compose").arg("--file").arg(&file).args(args).output()
    };
    if !compose(&["version"]).is_ok_and(|output| output.status.success()) {
        println!("Docker Compose is not installed");
        return;
    }
    let output = compose(&["config", "--quiet"]).expect("it runs");
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && complaints.is_empty(), "{complaints}");
}

#[test]
fn every_command_is_one_that_the_binary_takes() {
    let compose = compose();
    for (name, service) in services(&compose) {
        let command = texts(&service["command"]);
        assert_eq!(command[0], "start", "{name}");
        is_accepted(&command).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let wrong = ["start".to_owned(), "--no-such-flag=1".to_owned()];
    assert!(is_accepted(&wrong).is_err(), "this test would notice");
}

#[test]
fn three_shards_that_are_meta_too_and_one_proxy() {
    let compose = compose();
    let services = services(&compose);
    let roles = |wanted: &str| {
        let has =
            |service: &Value| flag(&texts(&service["command"]), "roles").as_deref() == Some(wanted);
        services.iter().filter(|(_, service)| has(service)).map(|(name, _)| name.clone()).collect()
    };
    let data: BTreeSet<String> = roles("meta,shard");
    let proxies: BTreeSet<String> = roles("proxy");
    assert_eq!((data.len(), proxies.len(), services.len()), (3, 1, 4));

    let expected: Vec<String> = data.iter().map(|name| format!("{name}:7433")).collect();
    for (name, service) in &services {
        let command = texts(&service["command"]);
        assert_eq!(
            flag(&command, "join"),
            Some(expected.join(",")),
            "{name}: the same list on each"
        );
        let advertised = flag(&command, "advertise-rpc");
        assert_eq!(advertised, Some(format!("{name}:7433")), "{name}: others reach it by its name");
    }
    let proxy = &compose["services"][proxies.first().expect("one").as_str()];
    for name in &data {
        let condition = &proxy["depends_on"][name.as_str()]["condition"];
        assert_eq!(condition, "service_healthy", "the proxy waits for {name}");
    }
}

/// A volume begins as what the image has there, and a data directory must begin empty: no home with
/// a shell's files in it.
#[test]
fn the_image_has_no_files_where_the_data_goes() {
    let dockerfile = repository("Dockerfile");
    let makes: Vec<&str> = dockerfile.lines().filter(|line| line.contains("useradd")).collect();
    assert!(!makes.is_empty() && makes.iter().all(|line| line.contains("--no-create-home")));
    assert!(dockerfile.contains("install --directory --owner sharddb --group sharddb /data"));
}

#[test]
fn every_service_is_checked_and_keeps_its_data() {
    let compose = compose();
    let declared: BTreeSet<String> =
        compose["volumes"].as_mapping().expect("volumes").keys().map(text).collect();
    let mut used = BTreeSet::new();
    for (name, service) in services(&compose) {
        let check = texts(&service["healthcheck"]["test"]).join(" ");
        let port = port(&flag(&texts(&service["command"]), "http-listen").expect("listens"));
        assert!(check.contains(&format!(":{port}/ready")), "{name}: {check}");
        let directory = flag(&texts(&service["command"]), "data-dir").expect("a directory");
        let volume = texts(&service["volumes"])
            .into_iter()
            .find_map(|volume| volume.strip_suffix(&format!(":{directory}")).map(str::to_owned));
        let volume = volume.unwrap_or_else(|| panic!("{name}: {directory} is on a volume"));
        assert!(used.insert(volume), "{name}: nobody else has its volume");
    }
    assert_eq!(used, declared);
}

#[test]
fn published_ports_are_listened_on_and_stay_on_this_machine() {
    let compose = compose();
    let mut published = BTreeSet::new();
    for (name, service) in services(&compose) {
        let command = texts(&service["command"]);
        let listened: BTreeSet<String> = ["sql-listen", "rpc-listen", "http-listen"]
            .into_iter()
            .filter_map(|name| flag(&command, name))
            .map(|address| port(&address))
            .collect();
        for mapping in texts(&service["ports"]) {
            let (outside, inside) = mapping.rsplit_once(':').expect("host:port:port");
            assert!(listened.contains(inside), "{name}: nobody listens on {inside}");
            assert!(outside.starts_with("127.0.0.1:"), "{name}: clients are trusted");
            assert!(published.insert(outside.to_owned()), "{outside} is published twice");
        }
    }
}

fn port(address: &str) -> String {
    address.rsplit_once(':').expect("host:port").1.to_owned()
}

#[test]
fn the_image_has_the_stages_and_the_command_that_it_names() {
    let dockerfile = repository("Dockerfile").replace("\\\n", " ");
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines: Vec<Vec<String>> = dockerfile.lines().map(words).collect();
    let stages: Vec<&str> = lines
        .iter()
        .filter(|line| line.first().is_some_and(|word| word == "FROM"))
        .map(|line| line[3].as_str())
        .collect();
    assert_eq!(stages, ["build", "run"]);
    for line in &lines {
        for source in line.iter().filter_map(|word| word.strip_prefix("--from=")) {
            assert!(stages.contains(&source), "stage {source}");
        }
    }
    let compose = compose();
    for (name, service) in services(&compose) {
        let target = text(&service["build"]["target"]);
        assert!(stages.contains(&target.as_str()), "{name}: stage {target}");
    }
    let list = |instruction: &str| -> Vec<String> {
        let line =
            dockerfile.lines().rfind(|line| line.starts_with(instruction)).expect(instruction);
        serde_json::from_str(line[instruction.len()..].trim()).expect("a list of words")
    };
    assert_eq!(list("ENTRYPOINT"), ["sharddb"]);
    is_accepted(&list("CMD")).unwrap_or_else(|error| panic!("CMD: {error}"));
}
