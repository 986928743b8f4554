//! Reads scenario files; `testdata/wire/record.py` describes the format.

use std::path::PathBuf;

/// One scenario.
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// PostgreSQL's answer.
    pub(crate) reference: String,
    /// Our answer where it differs on purpose.
    pub(crate) differs: Option<String>,
}

impl Scenario {
    /// True for our own answer where one is written down, else for the reference's and for what
    /// differs from it by rule: a reason before closing where PostgreSQL closes silently (and drops
    /// replies that it held back), one FATAL error where it sends an ERROR before, 0A000 for
    /// FunctionCall, 08P01 for a malformed Bind also when its statement does not exist.
    pub(crate) fn allows(&self, ours: &str) -> bool {
        if let Some(expected) = &self.differs {
            return ours == expected;
        }
        let reference = self.reference.replace("G E:ERROR:08P01 E:FATAL:08P01", "G E:FATAL:08P01");
        let is_silent = !reference.ends_with(LOST) && reference.ends_with("closed");
        match ours.strip_suffix(LOST) {
            Some(ours) if is_silent => {
                let mut words: Vec<&str> = ours.split_whitespace().collect();
                while words.pop_if(|word| is_held_back(word)).is_some() {}
                let mut expected: Vec<&str> = reference.split_whitespace().collect();
                expected.pop();
                while expected.pop_if(|word| is_held_back(word)).is_some() {}
                self.are_same(&expected, &words)
            }
            _ => {
                let expected: Vec<&str> = reference.split_whitespace().collect();
                let words: Vec<&str> = ours.split_whitespace().collect();
                self.are_same(&expected, &words)
            }
        }
    }

    fn are_same(&self, expected: &[&str], words: &[&str]) -> bool {
        let is_call = self.name.starts_with("FunctionCall");
        expected.len() == words.len()
            && expected.iter().zip(words).all(|pair| match pair {
                (expected, word) if expected == word => true,
                (&"E:ERROR:26000", &"E:ERROR:08P01") => true,
                (&"E:ERROR:42883" | &"E:ERROR:25P02", &"E:ERROR:0A000") => is_call,
                _ => false,
            })
    }
}

/// The end of a connection that has said why.
const LOST: &str = "E:FATAL:08P01 closed";

/// Replies that PostgreSQL holds back until Sync, Flush or an error.
pub(crate) fn is_held_back(word: &str) -> bool {
    ["1", "2", "3", "n", "t", "T", "I"].contains(&word)
}

/// All scenarios of a file in `testdata/wire`.
pub(crate) fn read(file: &str) -> Vec<Scenario> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testdata/wire").join(file);
    let text = std::fs::read_to_string(&path).expect("scenarios are in the repository");
    let scenarios = parse(&text);
    assert!(scenarios.len() > 20, "{file} was read");
    scenarios
}

/// What a server sent, as `record.py` sums it up.
pub(crate) fn words(sent: &[u8]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut rest = sent;
    while let [tag, tail @ ..] = rest {
        if *tag == b'N' && tail.first() != Some(&0) {
            words.push("N".into());
            rest = tail;
            continue;
        }
        let length = u32::from_be_bytes(tail[..4].try_into().unwrap()) as usize;
        let body = &tail[4..length];
        rest = &tail[length..];
        match tag {
            b'S' | b'K' | b'N' => {}
            b'E' => words.push(format!("E:{}:{}", field(body, b'V'), field(body, b'C'))),
            b'Z' => words.push(format!("Z:{}", body[0] as char)),
            tag => words.push((*tag as char).to_string()),
        }
    }
    words
}

fn field(body: &[u8], code: u8) -> String {
    let mut fields = body.split(|byte| *byte == 0);
    let field = fields.find(|field| field.first() == Some(&code));
    String::from_utf8(field.expect("the field")[1..].to_vec()).unwrap()
}

/// All scenarios of a text.
fn parse(text: &str) -> Vec<Scenario> {
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
fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.extend((body.len() as u32 + 4).to_be_bytes());
    bytes.extend(body);
    bytes
}

/// A usual startup packet.
fn startup() -> Vec<u8> {
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
