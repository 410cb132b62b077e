//! The numbers that algorithms cannot do without: beginnings of tables in memory, and words in code.
//!
//! Sources: AES: FIPS 197, figures 7 and 14; its T-tables: Daemen and Rijmen, "The Design of Rijndael", section 4.2.
//! SHA-1, SHA-2: FIPS 180-4, sections 4.2 and 5.3. SHA-3: FIPS 202, section 3.2.5. MD5: RFC 1321, section 3.4. BLAKE2: RFC
//! 7693, sections 2.6 and 2.7. ChaCha and Salsa: RFC 8439, section 2.3. CRC: RFC 1952, section 8 (CRC-32), RFC 3720, appendix
//! B.4 (CRC-32C), the bzip2 format (CRC-32, most significant bit first), the xz format, section 6 (CRC-64). Blowfish:
//! Schneier, "Description of a New Variable-Length Key, 64-bit Block Cipher" (FSE 1993); its P-array alone is left out,
//! since that begins as pi does.

/// The beginning of a table as it lies in memory.
pub(super) struct Beginning {
    pub bytes: &'static [u8],
    pub algorithm: &'static str,
    /// Size of the table in bytes, and how much of it lies before the beginning looked for (a zero that heads a table
    /// would match too much).
    pub size: i64,
    pub before: i64,
}

const fn table(bytes: &'static [u8], algorithm: &'static str, size: i64, before: i64) -> Beginning {
    Beginning { bytes, algorithm, size, before }
}

/// Tables. Each beginning is at least fifteen bytes long, so that wherever it lies eight of them are aligned.
pub(super) const TABLES: [Beginning; 24] = [
    table(&[0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab], "AES", 256, 0),
    table(&[0x52, 0x09, 0x6a, 0xd5, 0x30, 0x36, 0xa5, 0x38, 0xbf, 0x40, 0xa3, 0x9e, 0x81, 0xf3, 0xd7], "AES", 256, 0),
    // T-tables of encryption: (2, 1, 1, 3) times the S-box, and its rotations.
    table(&[0xa5, 0x63, 0x63, 0xc6, 0x84, 0x7c, 0x7c, 0xf8, 0x99, 0x77, 0x77, 0xee, 0x8d, 0x7b, 0x7b], "AES", 1024, 0),
    table(&[0x63, 0x63, 0xc6, 0xa5, 0x7c, 0x7c, 0xf8, 0x84, 0x77, 0x77, 0xee, 0x99, 0x7b, 0x7b, 0xf6], "AES", 1024, 0),
    table(&[0x63, 0xc6, 0xa5, 0x63, 0x7c, 0xf8, 0x84, 0x7c, 0x77, 0xee, 0x99, 0x77, 0x7b, 0xf6, 0x8d], "AES", 1024, 0),
    table(&[0xc6, 0xa5, 0x63, 0x63, 0xf8, 0x84, 0x7c, 0x7c, 0xee, 0x99, 0x77, 0x77, 0xf6, 0x8d, 0x7b], "AES", 1024, 0),
    // T-table of decryption: (14, 9, 13, 11) times the inverse S-box, and a rotation.
    table(&[0x50, 0xa7, 0xf4, 0x51, 0x53, 0x65, 0x41, 0x7e, 0xc3, 0xa4, 0x17, 0x1a, 0x96, 0x5e, 0x27], "AES", 1024, 0),
    table(&[0x51, 0xf4, 0xa7, 0x50, 0x7e, 0x41, 0x65, 0x53, 0x1a, 0x17, 0xa4, 0xc3, 0x3a, 0x27, 0x5e], "AES", 1024, 0),
    table(
        &[0x98, 0x2f, 0x8a, 0x42, 0x91, 0x44, 0x37, 0x71, 0xcf, 0xfb, 0xc0, 0xb5, 0xa5, 0xdb, 0xb5],
        "SHA-256",
        256,
        0,
    ),
    table(
        &[0x22, 0xae, 0x28, 0xd7, 0x98, 0x2f, 0x8a, 0x42, 0xcd, 0x65, 0xef, 0x23, 0x91, 0x44, 0x37],
        "SHA-512",
        640,
        0,
    ),
    // The round constants of Keccak from the second on.
    table(&[0x82, 0x80, 0, 0, 0, 0, 0, 0, 0x8a, 0x80, 0, 0, 0, 0, 0, 0x80], "SHA-3", 192, 8),
    table(&[0x78, 0xa4, 0x6a, 0xd7, 0x56, 0xb7, 0xc7, 0xe8, 0xdb, 0x70, 0x20, 0x24, 0xee, 0xce, 0xbd], "MD5", 256, 0),
    // The second row of BLAKE2's message schedule, as bytes, as 32-bit words, and as 64-bit words.
    table(&[14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3, 11, 8, 12, 0], "BLAKE2", 192, 16),
    table(&[14, 0, 0, 0, 10, 0, 0, 0, 4, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0, 15, 0, 0, 0, 13], "BLAKE2", 768, 64),
    table(
        &[14, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 9],
        "BLAKE2",
        1536,
        128,
    ),
    // The same of BLAKE3, whose schedule is another permutation.
    table(&[2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8], "BLAKE3", 112, 16),
    table(
        &[0x96, 0x30, 0x07, 0x77, 0x2c, 0x61, 0x0e, 0xee, 0xba, 0x51, 0x09, 0x99, 0x19, 0xc4, 0x6d],
        "CRC-32",
        1024,
        4,
    ),
    table(
        &[0x03, 0x83, 0x6b, 0xf2, 0xf7, 0x70, 0x3b, 0xe1, 0xf4, 0xf3, 0x50, 0x13, 0x1f, 0x97, 0x9a],
        "CRC-32C",
        1024,
        4,
    ),
    table(
        &[0xb7, 0x1d, 0xc1, 0x04, 0x6e, 0x3b, 0x82, 0x09, 0xd9, 0x26, 0x43, 0x0d, 0xdc, 0x76, 0x04],
        "CRC-32",
        1024,
        4,
    ),
    table(
        &[0x77, 0x07, 0x30, 0x96, 0xee, 0x0e, 0x61, 0x2c, 0x99, 0x09, 0x51, 0xba, 0x07, 0x6d, 0xc4],
        "CRC-32",
        1024,
        4,
    ),
    table(
        &[0x6f, 0x5f, 0xa7, 0x03, 0xbe, 0x4c, 0x2e, 0xb3, 0x5b, 0xa0, 0x40, 0xa8, 0x57, 0x36, 0x84],
        "CRC-64",
        2048,
        8,
    ),
    // The first of Blowfish's S-boxes.
    table(
        &[0xa6, 0x0b, 0x31, 0xd1, 0xac, 0xb5, 0xdf, 0x98, 0xdb, 0x72, 0xfd, 0x2f, 0xb7, 0xdf, 0x1a],
        "Blowfish (bcrypt)",
        4096,
        0,
    ),
    table(b"expand 32-byte k", "ChaCha or Salsa", 16, 0),
    table(b"expand 16-byte k", "ChaCha or Salsa", 16, 0),
];

/// Words in code, with the algorithm; two of one algorithm make a finding. 64-bit ones stand for themselves.
///
/// The initial values of SHA-256 and SHA-512 are left out: BLAKE2 and BLAKE3 share them.
pub(super) const WORDS: [(u64, &str); 29] = [
    (0x428a_2f98, "SHA-256"),
    (0x7137_4491, "SHA-256"),
    (0xb5c0_fbcf, "SHA-256"),
    (0xe9b5_dba5, "SHA-256"),
    (0x428a_2f98_d728_ae22, "SHA-512"),
    (0x7137_4491_23ef_65cd, "SHA-512"),
    (0xb5c0_fbcf_ec4d_3b2f, "SHA-512"),
    (0xe9b5_dba5_8189_dbbc, "SHA-512"),
    (0x5a82_7999, "SHA-1"),
    (0x6ed9_eba1, "SHA-1"),
    (0x8f1b_bcdc, "SHA-1"),
    (0xca62_c1d6, "SHA-1"),
    (0xd76a_a478, "MD5"),
    (0xe8c7_b756, "MD5"),
    (0x2420_70db, "MD5"),
    (0xc1bd_ceee, "MD5"),
    (0x8000_0000_8000_8081, "SHA-3"),
    (0x8000_0000_0000_808a, "SHA-3"),
    (0x8000_0000_8000_8008, "SHA-3"),
    (0x8000_0000_0000_8089, "SHA-3"),
    (0x6170_7865, "ChaCha or Salsa"),
    (0x3320_646e, "ChaCha or Salsa"),
    (0x7962_2d32, "ChaCha or Salsa"),
    (0x6b20_6574, "ChaCha or Salsa"),
    (0x3320_646e_6170_7865, "ChaCha or Salsa"),
    (0x6b20_6574_7962_2d32, "ChaCha or Salsa"),
    (0x243f_6a88, "Blowfish (bcrypt)"),
    (0xd131_0ba6, "Blowfish (bcrypt)"),
    (0x98df_b5ac, "Blowfish (bcrypt)"),
];

/// Generator polynomials: one in a function that shifts right and combines by exclusive or makes a finding.
pub(super) const POLYNOMIALS: [(u64, &str); 4] = [
    (0xedb8_8320, "CRC-32"),
    (0x82f6_3b78, "CRC-32C"),
    (0xc96c_5795_d787_0f42, "CRC-64"),
    (0x9a6c_9329_ac4b_c9b5, "CRC-64"),
];
