//! What the CPU is, where its instruction set does not tell what is fastest on it.

/// Whether a multiply-add with an operand in memory waits for the load: where a cycle has two multiply-adds of 512 bits
/// and two loads. Measured on a Xeon (Sapphire Rapids), which waits, and on Zen 4, which makes one and does not. Others
/// are taken to wait, which was not measured.
#[inline]
pub(crate) fn waits_for_loads() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        static WAITS: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| !is_zen_4());
        *WAITS
    }
    #[cfg(not(target_arch = "x86_64"))]
    true
}

/// Whether it is AMD's of family 19h, Zen 3 and Zen 4. Of these only Zen 4 has AVX-512.
#[cfg(target_arch = "x86_64")]
fn is_zen_4() -> bool {
    use std::arch::x86_64::__cpuid;
    let name = __cpuid(0);
    // The family is a sum of two fields (AMD64 Architecture Programmer's Manual, volume 3, function 1).
    let version = __cpuid(1).eax;
    let family = (version >> 8 & 0xf) + (version >> 20 & 0xff);
    [name.ebx, name.edx, name.ecx].map(u32::to_le_bytes).as_flattened() == b"AuthenticAMD" && family == 0x19
}
