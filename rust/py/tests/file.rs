//! Model files, tested without Python: what is written can be read, and any other file is refused within limits of
//! memory.
#![allow(missing_docs, reason = "a test")]

#[path = "../src/file.rs"]
#[allow(dead_code, unreachable_pub, reason = "a part of the library, tested by itself")]
mod file;

use file::{Entry, FileError, Reader, Source, Texts};
use safetensors::{Dtype, SafeTensors};

struct Bytes(Vec<u8>);

impl Source for Bytes {
    fn read(&self, offset: usize, into: &mut [u8]) {
        into.copy_from_slice(&self.0[offset..offset + into.len()]);
    }
}

fn entry(name: &str, dtype: Dtype, shape: &[usize]) -> Entry {
    Entry { name: name.into(), dtype, shape: shape.into() }
}

/// The bytes of a file: the length of `header`, `header`, then `tensors`.
fn packed(header: &str, tensors: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), tensors].concat()
}

fn tensor(shape: &str, start: u64, end: u64) -> String {
    format!(r#"{{"dtype":"F32","shape":{shape},"data_offsets":[{start},{end}]}}"#)
}

fn read(content: &[u8]) -> Result<Reader<&[u8]>, FileError> {
    Reader::new(content, content.len() as u64)
}

#[track_caller]
fn assert_garbage(content: &[u8], why: &str) {
    match read(content) {
        Err(FileError::Garbage(text)) => assert!(text.contains(why), "{text}"),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was read"),
    }
}

#[test]
fn written_files_are_read_back_and_by_safetensors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    // Longer than the buffer through which tensors are written.
    let long = Bytes((0..300_000).map(|i| i as u8).collect());
    let short = Bytes(vec![1, 2, 3, 4]);
    let none = Bytes(vec![]);
    let texts = Texts::from([("b".into(), "2".into()), ("a".into(), "é\"\0".into())]);
    let tensors = || -> Vec<(Entry, &dyn Source)> {
        vec![
            (entry("a", Dtype::F32, &[1]), &short),
            (entry("z", Dtype::F64, &[37_500]), &long),
            (entry("none", Dtype::F32, &[0, 7]), &none),
        ]
    };
    file::write(&path, tensors(), &texts).unwrap();

    let mut reader = file::open(&path).unwrap();
    assert_eq!(reader.metadata, texts);
    let names: Vec<&str> = reader.entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names[0], "z", "the widest first");
    let mut into = vec![0; 300_000];
    reader.read(&mut into).unwrap();
    assert_eq!(into, long.0);

    let content = std::fs::read(&path).unwrap();
    let theirs = SafeTensors::deserialize(&content).unwrap();
    assert_eq!(theirs.tensor("a").unwrap().data(), short.0);
    assert_eq!(theirs.tensor("none").unwrap().shape(), [0, 7]);

    file::write(&path, tensors(), &texts).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), content, "the same content gives the same bytes");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn every_cut_and_every_longer_file_is_refused() {
    let whole = packed(&format!(r#"{{"a":{}}}"#, tensor("[2]", 0, 8)), &[7; 8]);
    assert!(read(&whole).is_ok());
    for len in 0..whole.len() {
        assert!(matches!(read(&whole[..len]), Err(FileError::Garbage(_))), "{len} bytes");
    }
    assert_garbage(&[&whole[..], &[0]].concat(), "describes 8 bytes of tensors, but 9 follow");
}

#[test]
fn every_flipped_bit_is_read_or_refused() {
    let whole = packed(&format!(r#"{{"__metadata__":{{"k":"v"}},"a":{}}}"#, tensor("[2]", 0, 8)), &[7; 8]);
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(mut reader) = read(&flipped) {
            let mut into = [0; 8];
            for _ in 0..reader.entries.len() {
                reader.read(&mut into).unwrap();
            }
        }
    }
}

#[test]
fn a_header_that_claims_too_much_is_refused_before_memory_is_asked_for() {
    for claimed in [16_000_001, u64::MAX, 1 << 63] {
        assert_garbage(&claimed.to_le_bytes(), "claims a header of");
    }
    assert_garbage(&[&15_000_000u64.to_le_bytes()[..], b"{}"].concat(), "but is only 10 bytes long");
}

#[test]
fn tensors_that_overlap_or_leave_holes_are_refused() {
    for (first, second) in [((0, 8), (4, 12)), ((0, 8), (12, 20)), ((4, 12), (12, 20)), ((0, 8), (0, 8))] {
        let [a, b] = [first, second].map(|(start, end)| tensor("[2]", start, end));
        let end = second.1 as usize;
        assert_garbage(&packed(&format!(r#"{{"a":{a},"b":{b}}}"#), &vec![0; end]), "invalid offset");
    }
    let (a, b) = (tensor("[1]", 0, 4), tensor("[1]", 4, 8));
    assert_garbage(&packed(&format!(r#"{{"a":{a},"a":{b}}}"#), &[0; 8]), "two tensors are named");
}

#[test]
fn shapes_that_no_file_could_hold_are_refused() {
    let huge = "18446744073709551615";
    for shape in ["[4611686018427387904]", "[4294967296,4294967296]", "[3]", "[-1]", "[1.5]", "[18446744073709551616]"]
    {
        assert!(read(&packed(&format!(r#"{{"a":{}}}"#, tensor(shape, 0, 8)), &[0; 8])).is_err(), "{shape}");
    }
    let endless = format!(r#"{{"a":{{"dtype":"F32","shape":[2],"data_offsets":[0,{huge}]}}}}"#);
    assert!(read(&packed(&endless, &[0; 8])).is_err());
    let axes = format!("[{}1]", "1,".repeat(32));
    assert_garbage(
        &packed(&format!(r#"{{"a":{}}}"#, tensor(&axes, 0, 4)), &[0; 4]),
        "has 33 axes, but at most 32 are allowed",
    );
}

#[test]
fn headers_that_are_no_headers_are_refused() {
    let deep = "[".repeat(100_000);
    for header in ["", "{", "[]", "null", "1", r#"{"a":1}"#, r#"{"a":{}}"#, r#"{"__metadata__":{"a":1}}"#, &deep] {
        assert_garbage(&packed(header, &[]), "its header cannot be read");
    }
    let mut latin = packed(r#"{"é":1}"#, &[]);
    latin[11] = 0xff;
    assert_garbage(&latin, "its header cannot be read");
}

#[test]
fn a_file_that_shrinks_while_it_is_read_is_refused() {
    let whole = packed(&format!(r#"{{"a":{}}}"#, tensor("[2]", 0, 8)), &[7; 8]);
    let mut reader = Reader::new(&whole[..whole.len() - 1], whole.len() as u64).unwrap();
    assert!(matches!(reader.read(&mut [0; 8]), Err(FileError::Garbage(_))));
}

#[test]
fn names_that_cannot_be_written_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let one = Bytes(vec![0; 4]);
    let named = |name| -> (Entry, &dyn Source) { (entry(name, Dtype::F32, &[1]), &one) };
    for tensors in [vec![named("__metadata__")], vec![named("a"), named("a")]] {
        let written = file::write(&folder.path().join("model"), tensors, &Texts::new());
        assert!(matches!(written, Err(FileError::Refused(_))));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
