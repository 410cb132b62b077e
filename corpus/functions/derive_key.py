"""Derives a key by event["n"] rounds of HMAC-SHA-256, in one call."""
import hashlib


def handler(event, context):
    return hashlib.pbkdf2_hmac("sha256", b"password", b"salt", event["n"]).hex()
