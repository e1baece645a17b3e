//! The public key of a certificate (RFC 5280, section 4.1.2.7), as far as rules ask about it.

use x509_cert::SubjectPublicKeyInfo;
use x509_cert::der::asn1::{ObjectIdentifier, Uint};
use x509_cert::der::{self, Decode as _, Reader as _, SliceReader};

/// `rsaEncryption` (RFC 3279, section 2.3.1).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `id-ecPublicKey` (RFC 5480, section 2.1.1).
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// A public key, by the form that its algorithm gives it.
pub(crate) enum CertifiedKey<'c> {
    /// Without leading zeros.
    Rsa { modulus: Uint, exponent: Uint },
    /// A point (SEC 1, section 2.3.3).
    Ec(&'c [u8]),
    /// The bare bytes, as Ed25519 has them (RFC 8410, section 4).
    Bare(&'c [u8]),
}

impl<'c> CertifiedKey<'c> {
    /// Reads it; nothing if the bytes are not what the algorithm says.
    pub(crate) fn read(key: &'c SubjectPublicKeyInfo) -> Option<Self> {
        let bytes = key.subject_public_key.as_bytes()?;
        match key.algorithm.oid {
            RSA => read_rsa(bytes).ok(),
            EC => Some(Self::Ec(bytes)),
            _ => Some(Self::Bare(bytes)),
        }
    }
}

/// `RSAPublicKey` (RFC 8017, section A.1.1).
fn read_rsa<'c>(bytes: &[u8]) -> der::Result<CertifiedKey<'c>> {
    let mut reader = SliceReader::new(bytes)?;
    let key = reader.sequence(|inside| {
        Ok::<_, der::Error>(CertifiedKey::Rsa {
            modulus: Uint::decode(inside)?,
            exponent: Uint::decode(inside)?,
        })
    })?;
    reader.finish()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use x509_cert::der::asn1::BitString;
    use x509_cert::spki::AlgorithmIdentifier;

    fn info(oid: ObjectIdentifier, bytes: &[u8]) -> SubjectPublicKeyInfo {
        SubjectPublicKeyInfo {
            algorithm: AlgorithmIdentifier {
                oid,
                parameters: None,
            },
            subject_public_key: BitString::from_bytes(bytes).unwrap(),
        }
    }

    #[test]
    fn an_rsa_key_is_its_two_numbers_and_nothing_more() {
        // DER puts a zero before a high first bit.
        let bytes = [0x30, 8, 2, 3, 0, 0xc1, 5, 2, 1, 3];
        let key = info(RSA, &bytes);
        let Some(CertifiedKey::Rsa { modulus, exponent }) = CertifiedKey::read(&key) else {
            panic!("no RSA key");
        };
        assert_eq!(
            (modulus.as_bytes(), exponent.as_bytes()),
            (&[0xc1, 5][..], &[3][..])
        );
        let longer = [&bytes[..], &[0]].concat();
        assert!(CertifiedKey::read(&info(RSA, &longer)).is_none());
        assert!(CertifiedKey::read(&info(RSA, b"nonsense")).is_none());
    }

    #[test]
    fn other_keys_are_their_bytes() {
        let key = info(EC, &[4, 1, 2]);
        assert!(matches!(
            CertifiedKey::read(&key),
            Some(CertifiedKey::Ec([4, 1, 2]))
        ));
        let ed25519 = info(ObjectIdentifier::new_unwrap("1.3.101.112"), &[7, 8]);
        assert!(matches!(
            CertifiedKey::read(&ed25519),
            Some(CertifiedKey::Bare([7, 8]))
        ));
    }
}
