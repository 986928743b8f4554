//! Reads scenario files; `testdata/wire/record.py` describes the format.

/// One scenario.
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// PostgreSQL's answer.
    pub(crate) reference: String,
    /// Our answer where it differs on purpose.
    pub(crate) differs: Option<String>,
}

/// All scenarios of a file.
pub(crate) fn parse(text: &str) -> Vec<Scenario> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            let name = name.to_owned();
            let reference = String::new();
            scenarios.push(Scenario { name, bytes: Vec::new(), reference, differs: None });
            continue;
        }
        let Some(scenario) = scenarios.last_mut() else { continue };
        match line.split_at_checked(1) {
            None | Some(("#", _)) => {}
            Some(("=", answer)) => scenario.reference = answer.trim().to_owned(),
            Some(("!", answer)) => scenario.differs = Some(answer.trim().to_owned()),
            Some(_) => scenario.bytes.extend(line_bytes(line)),
        }
    }
    scenarios
}

fn line_bytes(line: &str) -> Vec<u8> {
    match line.split_once(' ') {
        None => {
            assert_eq!(line, "startup");
            startup()
        }
        Some(("raw", bytes)) => unescape(bytes),
        Some((_, frame_text)) => {
            let (tag, body) = frame_text.split_once(' ').expect("type and body");
            frame(tag.as_bytes()[0], &unescape(body))
        }
    }
}

/// A frame with a right length.
pub(crate) fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.extend((body.len() as u32 + 4).to_be_bytes());
    bytes.extend(body);
    bytes
}

/// A usual startup packet.
pub(crate) fn startup() -> Vec<u8> {
    let body = b"\0\x03\0\0user\0postgres\0database\0postgres\0\0";
    let mut bytes = (body.len() as u32 + 4).to_be_bytes().to_vec();
    bytes.extend(body);
    bytes
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next().expect("an escape") {
            b'n' => bytes.push(b'\n'),
            b'x' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
            }
            digit @ b'0'..=b'7' => bytes.push(digit - b'0'),
            other => panic!("unknown escape {other}"),
        }
    }
    bytes
}
