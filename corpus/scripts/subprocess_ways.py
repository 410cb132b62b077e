"""Children with pipes, environments, failures and time limits."""
import os
import signal
import subprocess

sort = subprocess.run(["sort", "-r"], input="b\na\nc\n", capture_output=True, text=True, check=True)
print(sort.stdout.split())
with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
    second = subprocess.Popen(["wc", "-c"], stdin=first.stdout, stdout=subprocess.PIPE)
    first.stdin.write(b"x" * 300_000)
    first.stdin.close()
    print(second.communicate()[0].strip())
print(subprocess.run("echo $GIVEN >&2; exit 7", shell=True, env={**os.environ, "GIVEN": "word"}).returncode)
print(subprocess.run(["sh", "-c", "kill -KILL $$"]).returncode == -signal.SIGKILL)
try:
    subprocess.run(["sleep", "60"], timeout=0.05)
except subprocess.TimeoutExpired:
    print("too late")
try:
    subprocess.run(["no-such-program"])
except FileNotFoundError as error:
    print(error)
subprocess.run(["false"], check=True)
