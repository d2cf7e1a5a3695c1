//! Model files: named tensors and texts in the safetensors format. Reading is limited in memory; writing is atomic, so a
//! reader sees the old file or the new one, never a part of either.
//!
//! ```text
//! length of the header, 8 bytes ─ header, JSON: name → dtype, shape, offsets ─ the tensors, one after another
//! ```
//!
//! A file is not trusted. Every size that it claims is compared with the size of the file before memory is allocated.
//! The file is read, not mapped, because another process may write to it at the same time.

use std::collections::{BTreeMap, HashSet};
use std::fmt::{self, Write as _};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use tempfile::{Builder, NamedTempFile};

/// Size limit of a header in bytes: of a network of twenty thousand layers. The format allows more.
const MAX_HEADER: u64 = 16_000_000;

/// Memory that a header is parsed in or made of, a byte of it: at worst, each number of a shape is two bytes.
const PARSED: usize = 24;

/// The most axes of a tensor. Every version of numpy can make as many.
const MAX_AXES: usize = 32;

/// The name of the entry in the header that holds the texts. No tensor can have it.
const METADATA: &str = "__metadata__";

/// Why a file could not be read or written.
#[derive(Debug)]
pub(crate) enum FileError {
    /// The system refused.
    Io(io::Error),
    /// The file is not in the format; the text says why.
    Garbage(String),
    /// The request was refused; the text says why.
    Refused(String),
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        FileError::Io(error)
    }
}

/// Fails if `bytes` bytes of memory cannot be had. For what allocates many small pieces, each of which would end the
/// process: it begins only where there is room for all of them.
pub(crate) fn room(bytes: usize) -> io::Result<()> {
    Vec::<u8>::new().try_reserve_exact(bytes).map_err(|_| io::ErrorKind::OutOfMemory.into())
}

/// Texts by name.
pub(crate) type Texts = BTreeMap<String, String>;

/// The entry of one tensor in the header.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
}

impl Entry {
    fn bytes(&self) -> Option<usize> {
        let size = self.dtype.bitsize() / 8;
        self.shape.iter().try_fold(size, |bytes, &n| bytes.checked_mul(n))
    }
}

// Reading

/// A file whose header has been read and checked. Its tensors follow in the order of `entries`.
pub(crate) struct Reader<R> {
    pub(crate) entries: Vec<Entry>,
    pub(crate) metadata: Texts,
    rest: R,
}

/// Opens the file at `path`.
pub(crate) fn open(path: &Path) -> Result<Reader<BufReader<File>>, FileError> {
    // Checked before the file is opened, because opening a pipe waits for a writer.
    regular(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    Reader::new(BufReader::new(file), len)
}

impl<R: Read> Reader<R> {
    /// Reads the header of `file`, which is `len` bytes long.
    pub(crate) fn new(mut file: R, len: u64) -> Result<Self, FileError> {
        let garbage = |why: String| Err(FileError::Garbage(why));
        if len < 8 {
            return garbage(format!("it is only {len} bytes long"));
        }
        let mut claimed = [0; 8];
        read_exact(&mut file, &mut claimed)?;
        let claimed = u64::from_le_bytes(claimed);
        if claimed > MAX_HEADER {
            return garbage(format!("it claims a header of {claimed} bytes, but at most {MAX_HEADER} are allowed"));
        }
        if claimed > len - 8 {
            return garbage(format!("it claims a header of {claimed} bytes but is only {len} bytes long"));
        }
        room(PARSED * claimed as usize)?;
        let mut header = vec![0; claimed as usize];
        read_exact(&mut file, &mut header)?;
        let Header { metadata, tensors } = serde_json::from_slice(&header)
            .map_err(|error| FileError::Garbage(format!("its header cannot be read: {error}")))?;
        let mut names = HashSet::new();
        for (name, TensorInfo { shape, .. }) in &tensors {
            if shape.len() > MAX_AXES {
                return garbage(format!(
                    "tensor {name:?} has {} axes, but at most {MAX_AXES} are allowed",
                    shape.len()
                ));
            }
            if !names.insert(name) {
                return garbage(format!("two tensors are named {name:?}"));
            }
        }
        let entries = tensors.iter().map(|(name, info)| Entry {
            name: name.clone(),
            dtype: info.dtype,
            shape: info.shape.clone(),
        });
        let entries = entries.collect();
        // The crate checks the offsets: the tensors start at 0 and follow one another without holes or overlaps, and
        // each has the length that its shape and dtype give.
        let described =
            Metadata::new(None, tensors).map_err(|error| FileError::Garbage(error.to_string()))?.data_len() as u64;
        let held = len - 8 - claimed;
        if described != held {
            return garbage(format!("its header describes {described} bytes of tensors, but {held} follow"));
        }
        Ok(Reader { entries, metadata, rest: file })
    }

    /// Reads the next tensor, which is `into.len()` bytes long.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<(), FileError> {
        read_exact(&mut self.rest, into)
    }
}

/// The header, with the tensors in the order of the file. It is not read by the crate's own code, which keeps a copy of
/// every entry, known or not, and so takes 16 times the memory of the header.
struct Header {
    metadata: Texts,
    tensors: Vec<(String, TensorInfo)>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tensors by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let (mut metadata, mut tensors) = (Texts::new(), Vec::new());
                while let Some(name) = map.next_key::<String>()? {
                    if name == METADATA {
                        metadata = map.next_value()?;
                    } else {
                        tensors.push((name, map.next_value::<TensorInfo>()?));
                    }
                }
                tensors.sort_by_key(|(_, info)| info.data_offsets);
                Ok(Header { metadata, tensors })
            }
        }
        from.deserialize_map(Entries)
    }
}

fn read_exact(file: &mut impl Read, into: &mut [u8]) -> Result<(), FileError> {
    file.read_exact(into).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => FileError::Garbage("it became shorter while it was read".into()),
        _ => FileError::Io(error),
    })
}

/// Refuses anything but a regular file, such as a folder, a pipe or a device.
fn regular(metadata: &fs::Metadata) -> Result<(), FileError> {
    if metadata.is_dir() {
        Err(io::Error::from(io::ErrorKind::IsADirectory).into())
    } else if metadata.is_file() {
        Ok(())
    } else {
        Err(FileError::Refused("it is not a regular file".into()))
    }
}

// Writing

/// A tensor to be written, read as bytes.
pub(crate) trait Source {
    /// Copies `into.len()` bytes to `into`, from byte `offset` on.
    fn read(&self, offset: usize, into: &mut [u8]);
}

/// Writes `tensors` and `metadata` to a temporary file in the same folder, and renames it to `path` when all of it is on
/// disk. If anything fails before, the old file stays and the temporary one is removed. The new file has the mode of the
/// old one, and its owner and extended attributes where the system allows that. A file that may not be written to is not
/// replaced. What earlier writers left behind that were killed is removed.
pub(crate) fn write(path: &Path, tensors: Vec<(Entry, &dyn Source)>, metadata: &Texts) -> Result<(), FileError> {
    let path = target(path)?;
    let old = match fs::metadata(&path) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    if let Some(old) = &old {
        regular(old)?;
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    if old.is_some() {
        OpenOptions::new().write(true).open(&path)?; // refused as `open` refuses it
    }
    let layout = layout(tensors, metadata)?;
    sweep(&folder);
    let file = beside(&folder)?;
    if let Some(old) = old {
        keep_attributes(&path, &old, file.as_file());
        file.as_file().set_permissions(old.permissions())?;
    }
    let mut buffered = BufWriter::new(file.as_file());
    layout.write(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    sync_folder(&folder);
    Ok(())
}

/// The file that `path` stands for. A symbolic link stays, also one to a file that is not there yet.
fn target(path: &Path) -> io::Result<PathBuf> {
    const MAX_LINKS: usize = 40; // as Linux
    let mut path = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        match (fs::canonicalize(&path), fs::read_link(&path)) {
            (Ok(target), _) => return Ok(target),
            (Err(error), Ok(next)) if error.kind() == io::ErrorKind::NotFound => {
                path = path.parent().unwrap_or(Path::new("")).join(next);
            }
            (Err(error), Err(_)) if error.kind() == io::ErrorKind::NotFound => return Ok(path),
            (Err(error), _) => return Err(error),
        }
    }
    Ok(path)
}

/// The contents of a file to be written.
struct Layout<'a> {
    header: Vec<u8>,
    /// The tensors after the header, with their lengths in bytes.
    parts: Vec<(usize, &'a dyn Source)>,
}

/// Makes the header and puts the tensors in order: by dtype, the widest first, which keeps every tensor aligned; then by
/// name.
fn layout<'a>(mut tensors: Vec<(Entry, &'a dyn Source)>, metadata: &Texts) -> Result<Layout<'a>, FileError> {
    let texts = metadata.iter().chain(tensors.iter().map(|(entry, _)| (&entry.name, &entry.name)));
    room(texts.map(|(name, text)| PARSED * (200 + name.len() + text.len())).sum())?;
    tensors.sort_by(|(a, _), (b, _)| (b.dtype, &a.name).cmp(&(a.dtype, &b.name)));
    let mut header = serde_json::Map::new();
    let json = |error: serde_json::Error| FileError::Refused(error.to_string());
    header.insert(METADATA.into(), serde_json::to_value(metadata).map_err(json)?);
    let (mut offset, mut parts) = (0usize, Vec::new());
    for (entry, source) in tensors {
        let bytes = entry.bytes();
        let Some((bytes, end)) = bytes.and_then(|b| Some((b, offset.checked_add(b)?))) else {
            return Err(FileError::Refused(format!("tensor {:?} is too large for a file", entry.name)));
        };
        let info = TensorInfo { dtype: entry.dtype, shape: entry.shape, data_offsets: (offset, end) };
        let value = serde_json::to_value(info).map_err(json)?;
        if let Some(_same) = header.insert(entry.name.clone(), value) {
            return Err(FileError::Refused(format!(
                "a tensor is named {:?}, but this name is reserved or taken",
                entry.name
            )));
        }
        parts.push((bytes, source));
        offset = end;
    }
    let mut text = serde_json::to_string(&header).map_err(json)?;
    let len = text.len().next_multiple_of(8);
    let _ = write!(text, "{:1$}", "", len - text.len()); // aligns the first tensor
    if text.len() as u64 > MAX_HEADER {
        return Err(FileError::Refused(format!(
            "names and metadata take {} bytes, but at most {MAX_HEADER} can be written",
            text.len()
        )));
    }
    Ok(Layout { header: text.into_bytes(), parts })
}

/// The names of temporary files.
const PREFIX: &str = ".chainrule-";
const SUFFIX: &str = ".tmp";

/// A temporary file in `folder`, with the mode that the umask gives to new files. It is removed unless it is persisted.
/// It is locked, which tells that its writer lives.
fn beside(folder: &Path) -> io::Result<NamedTempFile> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    loop {
        let file = Builder::new().prefix(PREFIX).suffix(SUFFIX).make_in(folder, |path| options.open(path))?;
        let _ = file.as_file().lock(); // some file systems have no locks
        if file.path().try_exists()? {
            return Ok(file);
        }
        // Another writer swept it away before it was locked.
    }
}

/// Removes the temporary files in `folder` whose writers were killed. Nothing depends on it, so errors are ignored.
fn sweep(folder: &Path) {
    if !cfg!(unix) {
        return; // a file that is locked is not read elsewhere
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        if is_ours
            && entry.file_type().is_ok_and(|kind| kind.is_file())
            && let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Gives `new` the owner and the extended attributes of the file at `path`, as far as the system allows it.
#[cfg(unix)]
fn keep_attributes(path: &Path, old: &fs::Metadata, new: &File) {
    use std::os::unix::fs::{MetadataExt, fchown};
    if fchown(new, Some(old.uid()), Some(old.gid())).is_err() {
        let _ = fchown(new, None, Some(old.gid()));
    }
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use rustix::fs::{XattrFlags, fsetxattr, getxattr, listxattr};
        const MAX_ATTRIBUTE: usize = 1 << 16; // Linux's
        let (mut names, mut value) = (vec![0; MAX_ATTRIBUTE], vec![0; MAX_ATTRIBUTE]);
        let len = listxattr(path, &mut names[..]).unwrap_or(0);
        for name in names[..len].split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
            if let Ok(len) = getxattr(path, name, &mut value[..]) {
                let _ = fsetxattr(new, name, &value[..len], XattrFlags::empty());
            }
        }
    }
}

#[cfg(not(unix))]
fn keep_attributes(_path: &Path, _old: &fs::Metadata, _new: &File) {}

impl Layout<'_> {
    fn write(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&(self.header.len() as u64).to_le_bytes())?;
        to.write_all(&self.header)?;
        let mut part = vec![0; 1 << 16];
        for &(bytes, source) in &self.parts {
            for offset in (0..bytes).step_by(part.len()) {
                let len = part.len().min(bytes - offset);
                source.read(offset, &mut part[..len]);
                to.write_all(&part[..len])?;
            }
        }
        Ok(())
    }
}

/// Flushes the folder, so that the new name is on disk. The new file is in place even if this fails, as on some file
/// systems, so there is no error: after a power cut, the name may stand for the old file, which is whole as well.
fn sync_folder(folder: &Path) {
    // Windows cannot open a folder as a file.
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

const _: () = assert!(cfg!(target_endian = "little"), "tensors are written as they lie in memory");
