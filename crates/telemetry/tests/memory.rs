//! A large file is read in little memory. The only test of its program: the peak is the program's.

use std::io::{self, Read, Write};

use fleetcast_telemetry::{CsvOptions, read_csv};

/// A file of one-second rows that is made while it is read.
struct Rows {
    next: u64,
    count: u64,
    bytes: u64,
    pending: Vec<u8>,
}

impl Read for Rows {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.pending.len() < 8192 && self.next < self.count {
            let second =
                jiff::Timestamp::from_second(1_767_225_600 + self.next as i64).expect("in range");
            writeln!(
                self.pending,
                "{second},{}.{:02}",
                self.next * 7919 % 5003,
                self.next % 97
            )?;
            self.next += 1;
        }
        let length = buffer.len().min(self.pending.len());
        buffer[..length].copy_from_slice(&self.pending[..length]);
        self.pending.drain(..length);
        self.bytes += length as u64;
        Ok(length)
    }
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .expect("the kernel reports it");
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .expect("a number")
}

#[test]
fn a_large_file_takes_little_memory() {
    if !cfg!(target_os = "linux") {
        println!("skipped: the peak of memory is known on Linux only");
        return;
    }
    // 300 MB when optimised; unoptimised a fifth of it, with the same memory for each row.
    let count = if cfg!(debug_assertions) {
        2_000_040
    } else {
        10_000_200
    };
    let mut rows = Rows {
        next: 0,
        count,
        bytes: 0,
        pending: b"timestamp,value\n".to_vec(),
    };
    let before = peak_kib();
    let (demand, report) =
        read_csv(&mut rows, &CsvOptions::default()).expect("the file is in order");
    let used_kib = peak_kib() - before;
    println!(
        "{} rows, {} MB: {used_kib} KiB",
        report.rows,
        rows.bytes / 1_000_000
    );
    assert_eq!(report.rows, count);
    assert_eq!(report.missing_steps, 0);
    assert_eq!(demand.len() as u64, count / 60);
    assert!(
        rows.bytes > count * 28,
        "the file is too small: {} bytes",
        rows.bytes
    );
    // 4 bytes a row are kept, and 5 MB of everything else; 300 MB stay below 64 MB.
    assert!(used_kib * 1024 < count * 6 + 5_000_000, "{used_kib} KiB");
}
