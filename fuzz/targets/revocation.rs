//! Any fields as an entry of the revocation store, a line each: what is read is written, and read,
//! the same again.

use portcullis_resource_server::fuzzing::rewrite;

pub(crate) fn run(data: &[u8]) {
    let entry: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let Ok(written) = rewrite(&entry) else {
        return;
    };
    let flat: Vec<&[u8]> = written
        .iter()
        .flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()])
        .collect();
    assert_eq!(rewrite(&flat).as_ref(), Ok(&written));
    // Each field says what it said: a mark to the letter, a moment as a number.
    assert_eq!(flat.len(), entry.len());
    for (read, written) in entry.chunks(2).zip(flat.chunks(2)) {
        assert_eq!(read[0], written[0]);
        let moment = |digits: &[u8]| {
            std::str::from_utf8(digits)
                .expect("digits")
                .parse::<u64>()
        };
        let is_mark = read[0] == b"mark";
        assert!(if is_mark {
            read[1] == written[1]
        } else {
            moment(read[1]) == moment(written[1])
        });
        assert!(!is_mark || (read[1].is_ascii() && read[1].len() <= 64));
    }
    // An entry that is cut, or goes on, is none.
    assert!((0..entry.len()).all(|length| rewrite(&entry[..length]).is_err() || length == 4));
    assert!(rewrite(&[&entry[..], &[b"until", b"1"]].concat()).is_err());
}
