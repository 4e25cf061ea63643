//! A hash that is the same in every process, version and machine.

/// 64-bit FNV-1a (Fowler, Noll & Vo), for names that only have to differ, never for secrets.
pub fn fnv(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}
