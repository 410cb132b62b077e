"""Ciphers, keys and signatures from fixed bytes with cryptography."""
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

key = PBKDF2HMAC(hashes.SHA256(), 32, b"salt", 10_000).derive(b"secret")
sealed = AESGCM(key).encrypt(b"nonce1234567", b"message", b"header")
print(sealed.hex(), AESGCM(key).decrypt(b"nonce1234567", sealed, b"header"))
signer = Ed25519PrivateKey.from_private_bytes(key)
print(signer.sign(b"message").hex())
public = signer.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
with open("public.pem", "wb") as file:
    file.write(public)
try:
    AESGCM(key).decrypt(b"nonce1234567", sealed, b"forged")
except InvalidTag:
    print("refused")
