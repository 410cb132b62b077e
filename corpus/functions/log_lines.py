"""Picks fields out of event["n"] log lines with regular expressions."""
import re

LINE = re.compile(r"(\S+) - \[([^\]]+)\] \"(GET|POST) (\S+)\" (\d{3}) (\d+)")


def handler(event, context):
    sent = 0
    for number in range(event["n"]):
        verb = "GET" if number % 3 else "POST"
        line = f'10.0.0.{number % 256} - [day {number % 365}] "{verb} /item/{number}" {200 + number % 5} {number % 9000}'
        match = LINE.match(line)
        sent += int(match.group(6)) if match.group(5) == "200" else 0
    return {"sent": sent}
