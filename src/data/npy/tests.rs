use super::*;

fn file() -> NpyFile<'static> {
    NpyFile {
        path: Path::new("some/data.npy"),
        remedy: "get it again",
    }
}

fn npy(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
    let length = match version {
        1 => (header.len() as u16).to_le_bytes().to_vec(),
        _ => (header.len() as u32).to_le_bytes().to_vec(),
    };
    [MAGIC, &[version, 0], &length, header.as_bytes(), data].concat()
}

const BYTES: &str = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }          \n";

#[test]
fn every_version_of_the_format_is_read() {
    for version in 1..=3 {
        let bytes = npy(version, BYTES, &[1, 2, 3, 4, 5, 6]);
        let array = file().array(&bytes).unwrap();
        assert_eq!(
            (array.kind, &array.shape[..], array.data),
            (ValueKind::Byte, &[2, 3][..], &[1, 2, 3, 4, 5, 6][..])
        );
    }
}

#[test]
fn integers_of_each_type_are_read_with_their_sign() {
    let header = |descr: &str| {
        format!("{{\"descr\": \"{descr}\", \"shape\": (2,), \"fortran_order\": False}}\n")
    };
    let int32 = [7i32, -3]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect::<Vec<_>>();
    let int64 = [7i64, -3]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect::<Vec<_>>();
    for (descr, data, expected) in [
        ("<i4", int32, [7, -3]),
        ("<i8", int64, [7, -3]),
        ("|u1", vec![7, 253], [7, 253]),
    ] {
        let bytes = npy(1, &header(descr), &data);
        assert_eq!(
            file().array(&bytes).unwrap().integers().collect::<Vec<_>>(),
            expected,
            "{descr}"
        );
    }
}

/// Damaged files, each with the expected message.
fn bad_files() -> [(Vec<u8>, String); 13] {
    let whole = npy(1, BYTES, &[0; 6]);
    let offset = whole.len() - 6;
    let changed = |from: &str, to: &str| npy(1, &BYTES.replace(from, to), &[0; 6]);
    [
        (Vec::new(), "some/data.npy: the file is empty".to_owned()),
        (
            b"<!DOCTYPE html>".to_vec(),
            "byte 0: not an NPY file: it starts with [3c, 21".to_owned(),
        ),
        (
            whole[..8].to_vec(),
            "byte 0: the header ends after 8 bytes".to_owned(),
        ),
        (
            whole[..20].to_vec(),
            "byte 0: the header ends after 20 bytes".to_owned(),
        ),
        (
            npy(4, BYTES, &[]),
            "byte 0: NPY version 4; versions 1 to 3".to_owned(),
        ),
        (
            whole[..offset + 5].to_vec(),
            format!(
                "record 1 (byte {}): the file ends too early; its header announces 2",
                offset + 3
            ),
        ),
        (
            [&whole[..], &[9]].concat(),
            format!(
                "record 2 (byte {}): 1 bytes follow the last of 2 records",
                offset + 6
            ),
        ),
        (
            changed("|u1", "<f8"),
            "values of type \"<f8\"; wanted are uint8".to_owned(),
        ),
        (changed("|u1", ">i4"), "values of type \">i4\"".to_owned()),
        (changed("False", "True"), "Fortran order".to_owned()),
        (
            changed("(2, 3)", "(2, -3)"),
            "its shape is not a tuple of sizes".to_owned(),
        ),
        (
            changed("'|u1'", "[('a', '|u1')]"),
            "the header is not one that NumPy writes".to_owned(),
        ),
        (
            changed("'shape': (2, 3), ", ""),
            "it lacks descr, fortran_order or shape".to_owned(),
        ),
    ]
}

#[test]
fn bad_files_name_the_file_the_place_and_the_remedy() {
    for (bytes, expected) in bad_files() {
        let message = file().array(&bytes).unwrap_err().to_string();
        assert!(
            message.contains(&expected),
            "{message:?} lacks {expected:?}"
        );
        assert!(
            message.ends_with("; get it again"),
            "{message:?} names no remedy"
        );
    }
}

#[test]
fn a_shape_too_large_to_multiply_is_reported_as_a_file_that_ends_too_early() {
    let header = BYTES.replace("(2, 3)", "(18446744073709551615, 18446744073709551615)");
    assert!(
        file()
            .array(&npy(2, &header, &[0; 6]))
            .unwrap_err()
            .to_string()
            .contains("ends too early")
    );
}

proptest::proptest! {
    #[test]
    fn no_sequence_of_bytes_makes_the_reader_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..64),
                                                header in "[{}()',:0-9 a-zA-Z|<]{0,60}") {
        let _ = file().array(&bytes);
        let _ = file().array(&[MAGIC, &bytes].concat());
        let _ = file().array(&npy(1, &header, &bytes));
        let _ = file().array(&npy(1, &format!("{{{header}}}"), &bytes));
    }
}
