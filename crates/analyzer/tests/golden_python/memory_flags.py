# Memory sizes given to other programs.
import os
import subprocess

os.environ["JAVA_TOOL_OPTIONS"] = "-Xmx2g -XX:+UseSerialGC"
env = {"NODE_OPTIONS": "--max-old-space-size=4096", "PATH": "/bin"}
heap = 512
subprocess.run(["java", "-Xms256m", f"-Xmx{heap}m", "-jar", "picard.jar"], check=True)
subprocess.check_call("bowtie --max-mem 2G -x genome".split())
command = ["docker", "run", "--memory", "1g", "image"]
subprocess.Popen(command, env=env)
os.system("java -Xmx75% Main")

# ---- expected ----
# __main__, input dependent: false
# ops 66
# init 66
# parallelism Serial
# io Process os.system 1
# io Process subprocess.Popen 1
# io Process subprocess.check_call 1
# io Process subprocess.run 1
# import os line 2 Static Unknown
# import subprocess line 3 Static Unknown
# use subprocess.run line 8 in <module>: Process Releases ×1
# use subprocess.check_call line 9 in <module>: Process Releases ×1
# use subprocess.Popen line 11 in <module>: Process Releases ×1
# use os.system line 12 in <module>: Process Releases ×1
# memory -Xmx2g = 2147483648 by JAVA_TOOL_OPTIONS line 5
# memory --max-old-space-size=4096 = 4294967296 by NODE_OPTIONS line 6
# memory -Xms256m = 268435456 line 8
# memory -Xmx = unknown line 8
# memory --max-mem 2G = 2147483648 line 9
# memory --memory = unknown line 10
# memory -Xmx75% = unknown line 12
# function <module> memory_flags.py:1 depth 0 share 1.000 Unknown Some(Depends) threads
# warning what libraries do inside their own code is not counted
# warning no Python interpreter was found: what imports lead to is not known; name one with --python
