// files DIRECTORY: goes through std::fs and std::io in a new directory and says what it found, in words that are
// the same on every system.
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

fn kind<T>(result: io::Result<T>) -> String {
    match result {
        Ok(_) => "ok".to_string(),
        Err(error) => format!("{:?}", error.kind()),
    }
}

fn names(directory: &Path) -> io::Result<Vec<String>> {
    let mut out = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let mark = if kind.is_dir() { "/" } else if kind.is_symlink() { "@" } else { "" };
        out.push(format!("{}{}", entry.file_name().to_string_lossy(), mark));
    }
    out.sort();
    Ok(out)
}

fn size_of_tree(directory: &Path) -> io::Result<(u64, u64)> {
    let (mut files, mut bytes) = (0, 0);
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let about = fs::symlink_metadata(&path)?;
        if about.is_dir() {
            let below = size_of_tree(&path)?;
            files += below.0;
            bytes += below.1;
        } else {
            files += 1;
            bytes += about.len();
        }
    }
    Ok((files, bytes))
}

fn reading_and_writing(base: &Path) -> io::Result<()> {
    let path = base.join("log");
    {
        let mut out = BufWriter::new(File::create(&path)?);
        for number in 0..20_000u32 {
            writeln!(out, "{number} {}", number.wrapping_mul(2_654_435_761))?;
        }
        out.into_inner()?.sync_all()?;
    }
    let mut sum = 0u64;
    let mut lines = HashMap::new();
    for line in BufReader::new(File::open(&path)?).lines() {
        let line = line?;
        let (number, value) = line.split_once(' ').unwrap();
        sum += value.parse::<u64>().unwrap();
        *lines.entry(number.len()).or_insert(0u32) += 1;
    }
    println!("sum {sum}, by length {:?}", lines.into_iter().collect::<BTreeMap<_, _>>());
    let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
    println!("end {}", file.seek(SeekFrom::End(-6))?);
    let mut tail = String::new();
    file.read_to_string(&mut tail)?;
    println!("tail {tail:?}");
    file.set_len(10)?;
    file.seek(SeekFrom::Start(20))?;
    file.write_all(b"behind a hole")?;
    file.sync_data()?;
    drop(file);
    println!("hole {:?}", fs::read(&path)?);
    let mut more = OpenOptions::new().append(true).open(&path)?;
    more.write_all(b"+")?;
    println!("appended {}", more.metadata()?.len());
    println!("reading what is only appended to: {}", kind(more.read(&mut [0; 4])));
    println!("again, new: {}", kind(OpenOptions::new().write(true).create_new(true).open(&path)));
    println!("truncated {}", OpenOptions::new().write(true).truncate(true).open(&path)?.metadata()?.len());
    Ok(())
}

fn directories(base: &Path) -> io::Result<()> {
    let deep: PathBuf = (0..30).map(|number| format!("d{number}")).collect();
    fs::create_dir_all(base.join(&deep))?;
    for number in 0..300 {
        fs::write(base.join("d0").join(format!("file {number:03}")), vec![b'x'; number])?;
    }
    fs::write(base.join(&deep).join("ünïcode ☂"), "text")?;
    println!("d0 {:?}", names(&base.join("d0"))?.len());
    println!("deepest {:?}", names(&base.join(&deep))?);
    println!("tree {:?}", size_of_tree(base)?);
    println!("mkdir again: {}", kind(fs::create_dir(base.join("d0"))));
    println!("rmdir full: {}", fs::remove_dir(base.join("d0")).is_err());
    println!("read a directory: {}", fs::read(base.join("d0")).is_err());
    println!("below a file: {}", kind(fs::read(base.join("d0/file 001/x")).map_err(|_| io::Error::from(ErrorKind::Other))));
    println!("missing: {}", kind(File::open(base.join("nowhere/file"))));
    fs::rename(base.join("d0/file 299"), base.join("moved"))?;
    fs::rename(base.join("moved"), base.join("d0/file 298"))?;
    println!("renamed over {}", fs::metadata(base.join("d0/file 298"))?.len());
    println!("copied {}", fs::copy(base.join("d0/file 298"), base.join("copy"))?);
    fs::hard_link(base.join("copy"), base.join("second name"))?;
    fs::write(base.join("second name"), "through the other name")?;
    println!("linked {:?}", fs::read_to_string(base.join("copy"))?);
    println!("top {:?}", names(base)?);
    fs::remove_dir_all(base.join("d0"))?;
    println!("left {:?}", names(base)?);
    Ok(())
}

fn times(base: &Path) -> io::Result<()> {
    let path = base.join("copy");
    let then = SystemTime::UNIX_EPOCH + Duration::new(1_234_567_890, 987_654_321);
    let file = OpenOptions::new().write(true).open(&path)?;
    file.set_times(fs::FileTimes::new().set_modified(then).set_accessed(then))?;
    let about = fs::metadata(&path)?;
    println!("modified {:?}", about.modified()?.duration_since(SystemTime::UNIX_EPOCH).unwrap());
    println!("same {}", about.modified()? == about.accessed()?);
    Ok(())
}

fn main() -> io::Result<()> {
    let base = PathBuf::from(std::env::args().nth(1).expect("a directory"));
    fs::create_dir(&base)?;
    reading_and_writing(&base)?;
    directories(&base)?;
    times(&base)?;
    fs::remove_dir_all(&base)?;
    println!("gone {}", !base.exists());
    Ok(())
}
