"""Takes signals by handlers, alarms and masks, and is ended by one in the end."""
import os
import signal
import sys

signal.signal(signal.SIGUSR1, lambda number, frame: print("got", signal.Signals(number).name, flush=True))
os.kill(os.getpid(), signal.SIGUSR1)
signal.setitimer(signal.ITIMER_REAL, 0.02)
signal.signal(signal.SIGALRM, lambda number, frame: print("alarm", flush=True))
signal.pause()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
os.kill(os.getpid(), signal.SIGTERM)
print(signal.sigpending(), file=sys.stderr, flush=True)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
