//! The lines of a plain or gzip file.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

use super::error::CsvError;

/// The lines of a file, one at a time.
pub(super) struct Lines<'r> {
    reader: Box<dyn BufRead + 'r>,
    gzip: bool,
    line: u64,
    text: Vec<u8>,
}

/// Longer lines are no rows of ours.
const LINE_MAX: usize = 64 * 1024;
const BUFFER: usize = 64 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How files begin that are often taken for CSV.
const OTHERS: [(&[u8], &str, &str); 8] = [
    (
        b"PK\x03\x04",
        "a zip archive or an Excel file",
        "unpack it, or export the sheet as CSV",
    ),
    (
        b"\xd0\xcf\x11\xe0",
        "an Excel file",
        "export the sheet as CSV",
    ),
    (b"PAR1", "a Parquet file", "export it as CSV"),
    (
        b"\x28\xb5\x2f\xfd",
        "zstd-compressed",
        "unpack it; gzip can be read as it is",
    ),
    (
        b"BZh",
        "bzip2-compressed",
        "unpack it; gzip can be read as it is",
    ),
    (
        b"\xfd7zXZ",
        "xz-compressed",
        "unpack it; gzip can be read as it is",
    ),
    (b"\xff\xfe", "UTF-16 text", "save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text", "save it as UTF-8"),
];

impl<'r> Lines<'r> {
    /// Looks at the first bytes to see what the file is.
    pub fn new(mut reader: impl Read + 'r) -> Result<Self, CsvError> {
        let mut start = Vec::new();
        (&mut reader)
            .take(8)
            .read_to_end(&mut start)
            .map_err(|source| CsvError::Read { rows: 0, source })?;
        let gzip = start.starts_with(b"\x1f\x8b");
        refuse_others(&start)?;
        let whole = BufReader::with_capacity(BUFFER, Cursor::new(start).chain(reader));
        let mut reader: Box<dyn BufRead + 'r> = if gzip {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(whole)))
        } else {
            Box::new(whole)
        };
        if gzip {
            let unpacked = reader
                .fill_buf()
                .map_err(|source| read_error(true, 0, source))?;
            refuse_others(unpacked)?;
        }
        Ok(Self {
            reader,
            gzip,
            line: 0,
            text: Vec::new(),
        })
    }

    /// The next line with its number, without white space around it. `rows` is for the error only.
    pub fn next(&mut self, rows: u64) -> Result<Option<(u64, &[u8])>, CsvError> {
        self.text.clear();
        self.line += 1;
        let limit = LINE_MAX as u64 + 1;
        let read = (&mut self.reader)
            .take(limit)
            .read_until(b'\n', &mut self.text);
        if read.map_err(|source| read_error(self.gzip, rows, source))? == 0 {
            return Ok(None);
        }
        if self.text.len() > LINE_MAX {
            return Err(CsvError::LongLine {
                line: self.line,
                max: LINE_MAX,
            });
        }
        let mut text = &self.text[..];
        if self.line == 1 {
            text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        }
        // Only line ends and spaces: a tab may be an empty last field.
        while let Some(shorter) = [&b"\n"[..], b"\r", b" "]
            .iter()
            .find_map(|end| text.strip_suffix(*end))
        {
            text = shorter;
        }
        Ok(Some((self.line, text)))
    }
}

fn refuse_others(start: &[u8]) -> Result<(), CsvError> {
    match OTHERS.iter().find(|(magic, ..)| start.starts_with(magic)) {
        Some((_, what, mend)) => Err(CsvError::NotCsv { what, mend }),
        None => Ok(()),
    }
}

fn read_error(gzip: bool, rows: u64, source: io::Error) -> CsvError {
    match source.kind() {
        io::ErrorKind::UnexpectedEof if gzip => CsvError::GzipCutOff { rows },
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData if gzip => {
            CsvError::GzipDamaged { rows, source }
        }
        _ => CsvError::Read { rows, source },
    }
}
