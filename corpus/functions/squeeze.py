"""Compresses event["n"] kilobytes of text and unpacks it again."""
import zlib


def handler(event, context):
    packed = 0
    for block in range(event["n"] // 64):
        text = "".join(f"line {block * 1000 + i} of the text, {i * i % 977}\n" for i in range(2000))[:65536].encode()
        small = zlib.compress(text, 6)
        assert zlib.decompress(small) == text
        packed += len(small)
    return {"packed": packed}
