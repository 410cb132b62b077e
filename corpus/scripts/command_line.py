"""Refuses its command line the way argparse does."""
import argparse

parser = argparse.ArgumentParser(prog="command_line")
parser.add_argument("--count", type=int, required=True)
parser.add_argument("words", nargs="*")
print(parser.parse_args())
