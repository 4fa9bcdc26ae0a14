//! Chance nobody can guess.
//! In: the system's randomness. Out: hexadecimal digits.

/// 128 random bits of the system as 32 hexadecimal digits, for tokens and addresses nobody can guess.
///
/// # Errors
/// The system's, when it has no randomness.
pub(crate) fn random_hex() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(fer_base::hex::encode(&bytes))
}
