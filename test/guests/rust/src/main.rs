//! journal FILE put KEY VALUE | get KEY | delete KEY | list | compact: a key-value store that is a log.
//!
//! Every change is a line at the end of the file; reading replays it. Exit status: 0, 1 when the file is
//! bad, 2 for bad usage, 3 when a key is not there.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

type Entries = BTreeMap<String, String>;

fn invalid(line: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("bad line {line:?}"))
}

fn replay(path: &str) -> io::Result<Entries> {
    let mut entries = Entries::new();
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(entries),
        other => other?,
    };
    for line in BufReader::new(file).lines() {
        let line = line?;
        let mut fields = line.splitn(4, '\t').skip(1);
        match (fields.next(), fields.next(), fields.next()) {
            (Some("put"), Some(key), Some(value)) => {
                entries.insert(key.to_string(), value.to_string());
            }
            (Some("delete"), Some(key), None) => {
                entries.remove(key);
            }
            _ => return Err(invalid(&line)),
        }
    }
    Ok(entries)
}

fn append(path: &str, change: &str) -> io::Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    writeln!(file, "{}\t{change}", now.as_millis())?;
    file.sync_all()
}

fn compact(path: &str) -> io::Result<usize> {
    let entries = replay(path)?;
    let next = format!("{path}.new");
    let mut file = File::create(&next)?;
    for (key, value) in &entries {
        writeln!(file, "0\tput\t{key}\t{value}")?;
    }
    file.sync_all()?;
    fs::rename(&next, path)?;
    Ok(entries.len())
}

fn run(arguments: &[&str]) -> io::Result<i32> {
    match arguments {
        [path, "put", key, value] => append(path, &format!("put\t{key}\t{value}"))?,
        [path, "delete", key] => append(path, &format!("delete\t{key}"))?,
        [path, "get", key] => match replay(path)?.get(*key) {
            Some(value) => println!("{value}"),
            None => return Ok(3),
        },
        [path, "list"] => {
            for (key, value) in replay(path)? {
                println!("{key}={value}");
            }
        }
        [path, "compact"] => println!("{} entries", compact(path)?),
        _ => {
            eprintln!("usage: journal FILE put KEY VALUE | get KEY | delete KEY | list | compact");
            return Ok(2);
        }
    }
    Ok(0)
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let status = run(&arguments).unwrap_or_else(|error| {
        eprintln!("journal: {error}");
        1
    });
    // Not by ExitCode: Debian's Rust, 1.63, knows only 0 and 1 of them on WASI.
    process::exit(status)
}
