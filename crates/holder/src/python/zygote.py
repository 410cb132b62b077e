"""A Python process that has imported what a program imports, and forks a process for each of its runs.

Started by the holder inside a sandbox; descriptor 0 is the line to the holder. It imports and computes nothing else, keeps
one thread, and leaves nothing of itself in what a program sees but its frames at the bottom of the stack.
"""


def zygote():
    import sys

    before = set(sys.modules)
    import _ctypes
    import _signal
    import _socket
    import gc
    import os
    import select
    import time

    # What the program imports of these it imports for itself, in its own order.
    for name in [name for name in sys.modules if name not in before]:
        del sys.modules[name]
    globe = globals()
    main = sys.modules["__main__"]
    main_names = list(main.__dict__)

    # --- messages: a count, then each part's length and bytes ---

    def pack(parts):
        out = [len(parts).to_bytes(4, "little")]
        for part in parts:
            part = part if isinstance(part, bytes) else os.fsencode(str(part))
            out.append(len(part).to_bytes(4, "little"))
            out.append(part)
        return b"".join(out)

    def unpack(data):
        parts, at = [], 4
        for _ in range(int.from_bytes(data[:4], "little")):
            length = int.from_bytes(data[at : at + 4], "little")
            parts.append(data[at + 4 : at + 4 + length])
            at += 4 + length
        return parts

    line = _socket.socket(fileno=os.dup(0))
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)

    def tell(kind, *parts):
        line.send(kind + pack(parts))

    library = _ctypes.dlopen(None, 0)
    syscall, prctl = (_ctypes.dlsym(library, name) for name in ("syscall", "prctl"))

    def call(function, *arguments):
        return _ctypes.call_function(function, arguments)

    # --- the climb ---

    opened, effects, recording = {}, [], [True]
    WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    CHANGES = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink", "os.chmod"}
    STARTS = {"subprocess.Popen", "os.system", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec"}

    def witness(event, arguments):
        if not recording[0]:
            return
        if event == "open":
            path, mode, flags = arguments
            if isinstance(path, int):
                return
            name = os.path.abspath(os.fsdecode(path))
            if isinstance(flags, int) and flags & WRITES:
                if name != "/dev/null" and "/__pycache__/" not in name:
                    effects.append("writes to " + name)
            elif not name.startswith(("/proc/", "/dev/", "/sys/")):
                opened[name] = True
        elif event in CHANGES:
            if not any(isinstance(part, str) and "__pycache__" in part for part in arguments):
                effects.append("changes files (%s)" % event)
        elif event in STARTS and strict:
            effects.append("starts processes (%s)" % event)
        elif event in ("socket.connect", "socket.bind"):
            effects.append("uses the network (%s)" % event)

    def threads():
        return len(os.listdir("/proc/self/task"))

    def held():
        for text in open("/proc/self/smaps_rollup", "rb"):
            if text.startswith(b"Pss:"):
                return int(text.split()[1]) * 1024
        return 0

    class Refused(Exception):
        pass

    def check(what):
        if effects:
            raise Refused("%s %s, which every run is to do for itself" % (what, effects[0]))
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError, AttributeError):
                pass
        if os.fstat(1).st_size or os.fstat(2).st_size:
            raise Refused("%s writes to its output, which every run is to do for itself" % what)
        if threads() > 1:
            # Libraries that stop their threads before a fork and start them again when needed (OpenBLAS) do so now.
            recording[0] = False
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
            recording[0] = True
        for _ in range(20):
            # A thread that was joined may still be on its way out.
            if threads() == 1:
                return
            time.sleep(0.005)
        raise Refused("%s starts a thread, and a process with threads cannot be forked safely" % what)

    parts = unpack(line.recv(1 << 20))
    target, spares, mode, path, runner, strict = (os.fsdecode(part) for part in parts[:6])
    wanted, spares = {int(part) for part in parts[6:]}, int(spares)
    sys.addaudithook(witness)
    if sys.path and sys.path[0] == "":
        sys.path[0] = os.path.dirname(os.path.realpath(path))
    sys.argv[:] = [path]

    def import_leading():
        """Carries out the imports that a program begins with: those of its own files, and all after the first other
        statement, are left to the run, which may do something before them that matters to them."""
        with open(path, "rb") as source:
            tree = compile(source.read(), path, "exec", 0x400, dont_inherit=True)
        scratch = {"__name__": "__main__", "__builtins__": __builtins__}
        for node in tree.body:
            kind = type(node).__name__
            if kind == "Expr" and type(node.value).__name__ == "Constant":
                continue
            if kind not in ("Import", "ImportFrom"):
                break
            if kind == "ImportFrom" and node.module == "__future__":
                continue
            if node.lineno not in wanted:
                break
            tree_type = type(tree)
            exec(compile(tree_type(body=[node], type_ignores=[]), path, "exec", dont_inherit=True), scratch)

    state = {}

    def import_module():
        scope = {"__name__": "forewarm", "__builtins__": __builtins__}
        exec(compile(runner, "<string>", "exec"), scope)
        state["runner"] = scope
        state["module"] = scope["load"](path)

    def climb():
        rungs = [("interpreter", lambda: None), ("imports", import_leading)]
        if mode == "handler":
            rungs.append(("module", import_module))
        for rung, action in rungs:
            began = time.monotonic_ns()
            try:
                action()
                check("importing it" if rung == "module" else "what it imports")
            except Refused as reason:
                return rung, str(reason)
            except BaseException as error:
                return rung, "importing it raises %s: %s" % (type(error).__name__, str(error)[:200])
            tell(b"S", rung, time.monotonic_ns() - began, held())
            if rung == target:
                return None
        return None

    refused = climb()
    if refused:
        tell(b"X", *refused)
        os._exit(0)
    recording[0] = False

    def loaded():
        files = dict(opened)
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str):
                files[os.path.abspath(file)] = True
        with open("/proc/self/maps", "rb") as maps:
            for text in maps:
                fields = text.split(None, 5)
                if len(fields) == 6 and fields[5].startswith(b"/"):
                    files[os.fsdecode(fields[5].strip())] = True
        files[os.path.abspath(path)] = True
        # A compiled file is made anew from its source, which is looked at.
        return [file for file in files if not (file.endswith(".pyc") and "__pycache__" in file)]

    files = loaded()
    for at in range(0, len(files), 64):
        tell(b"F", *files[at : at + 64])
    tell(b"P", *[os.path.abspath(folder) for folder in sys.path])

    # --- what a run's process does ---

    AF, SEQ = _socket.AF_UNIX, _socket.SOCK_SEQPACKET
    initial = {name: getattr(sys, name) for name in ("stdin", "stdout", "stderr")}

    def descriptors(ancillary):
        found = []
        for level, kind, data in ancillary:
            if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
                found += [int.from_bytes(data[at : at + 4], sys.byteorder) for at in range(0, len(data) - 3, 4)]
        return found

    def streams():
        """As the interpreter makes its standard streams, for what is at the descriptors now."""
        import io

        unbuffered = getattr(initial["stdout"], "write_through", False)
        for fd, name in enumerate(("stdin", "stdout", "stderr")):
            old = initial[name]
            if old is None:
                continue
            reading = fd == 0
            raw = open(fd, "rb" if reading else "wb", 0 if unbuffered and not reading else -1, closefd=False)
            inner = raw if isinstance(raw, io.RawIOBase) else raw.raw
            terminal = inner.isatty()
            text = io.TextIOWrapper(
                raw,
                old.encoding,
                old.errors,
                newline="\n",
                line_buffering=not unbuffered and (terminal or fd == 2),
                write_through=unbuffered,
            )
            # The name of what lies below is what the stream shows as its own.
            inner.name = "<%s>" % name
            text.mode = "r" if reading else "w"
            setattr(sys, name, text)
            setattr(sys, "__%s__" % name, text)

    def keep_apart():
        """A domain of this run's own: it can neither signal nor trace the zygote or other runs (Landlock 6)."""
        scopes = bytes(16) + (0b11).to_bytes(8, "little")
        ruleset = call(syscall, 444, scopes, 24, 0)
        if ruleset < 0 or call(syscall, 446, ruleset, 0) != 0:
            os._exit(125)
        os.close(ruleset)

    def apply(request):
        count = int(request[0])
        arguments, request = request[1 : 1 + count], request[1 + count :]
        count = int(request[0])
        variables, request = request[1 : 1 + count], request[1 + count :]
        directory, umask, ignored = request[0], int(request[1]), int(request[2])
        # A run begins where it was asked for, or not at all.
        os.chdir(directory)
        os.umask(umask)
        # The rest is as the zygote was given it; what a wrapper of the interpreter added to it stays.
        new = dict(variable.split(b"=", 1) for variable in variables)
        for name in request[3].split():
            if name in new:
                os.environb[name] = new[name]
            else:
                os.environb.pop(name, None)
        for number in (1, 2, 3, 15):
            usual = _signal.default_int_handler if number == 2 else _signal.SIG_DFL
            if ignored >> (number - 1) & 1:
                _signal.signal(number, _signal.SIG_IGN)
            elif _signal.getsignal(number) == _signal.SIG_IGN:
                _signal.signal(number, usual)
        sys.argv[:] = [os.fsdecode(argument) for argument in arguments]
        if hasattr(sys, "orig_argv"):
            sys.orig_argv[1:] = sys.argv

    def reseed():
        legacy = sys.modules.get("numpy.random")
        if legacy is not None:
            try:
                legacy.seed()
            except Exception:
                pass

    def program():
        """Runs the script, as the interpreter does what is named on its command line."""
        loader = sys.modules["_frozen_importlib_external"].SourceFileLoader
        # As the interpreter makes it absolute: put behind the working directory, and no more.
        given = sys.argv[0]
        full = given if given.startswith("/") else os.getcwd() + "/" + given
        module = type(sys)("__main__")
        space = module.__dict__
        for name in main_names:
            if name not in space and name in main.__dict__ and name.startswith("__"):
                space[name] = main.__dict__[name]
        space.update(__loader__=loader("__main__", full), __file__=full, __cached__=None)
        if "__annotations__" in space:
            space["__annotations__"] = {}
        sys.modules["__main__"] = module
        with open(full, "rb") as source:
            text = source.read()
        exec(compile(text, full, "exec", dont_inherit=True), space)

    def handled(event):
        if not state:
            import_module()
        scope = state["runner"]
        sys.modules["__main__"] = module = type(sys)("__main__")
        module.__builtins__ = __builtins__
        scope["call"](state["module"], sys.argv[0], os.fsdecode(parts_of_run["handler"]), event)

    parts_of_run = {}

    def report(error):
        """What an interpreter says and returns for what nothing has caught."""
        if isinstance(error, SystemExit):
            code = error.code
            if code is None:
                return 0
            if isinstance(code, int):
                return code & 0xFF
            try:
                sys.stdout.flush()
            except Exception:
                pass
            print(code, file=sys.stderr)
            return 1
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_globals is globe:
            trace = trace.tb_next
        if "runner" in state:
            # The frames of the runner and of the import machinery are no business of whoever wrote the handler.
            machinery = ("<frozen importlib._bootstrap_external>", "<frozen importlib._bootstrap>")
            while trace is not None and (
                trace.tb_frame.f_globals is state["runner"] or trace.tb_frame.f_code.co_filename in machinery
            ):
                trace = trace.tb_next
        error.__traceback__ = trace
        sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
        if sys.version_info >= (3, 12):
            sys.last_exc = error
        try:
            sys.stdout.flush()
        except Exception:
            pass
        try:
            sys.excepthook(type(error), error, trace)
        except SystemExit as inner:
            return report(inner)
        except BaseException as inner:
            print("Error in sys.excepthook:", file=sys.stderr)
            sys.__excepthook__(type(inner), inner, inner.__traceback__)
            print("\nOriginal exception was:", file=sys.stderr)
            sys.__excepthook__(type(error), error, trace)
        return -2 if isinstance(error, KeyboardInterrupt) else 1

    def finish():
        """What the interpreter does at its end, but for tearing down every module."""
        threading = sys.modules.get("threading")
        if threading is not None:
            threading._shutdown()
        import atexit

        atexit._run_exitfuncs()
        broken = flush()
        # Destructors of what the program's own module holds, files above all.
        space = sys.modules["__main__"].__dict__ if "__main__" in sys.modules else {}
        for private in (True, False):
            for name in list(space):
                if name != "__builtins__" and name.startswith("_") == private:
                    space[name] = None
        gc.collect()
        import io

        for thing in gc.get_objects():
            if isinstance(thing, (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)):
                try:
                    if not thing.closed and thing.writable():
                        thing.flush()
                except Exception:
                    pass
        return broken or flush()

    def flush():
        broken = 0
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name, None)
            try:
                if stream is not None and not getattr(stream, "closed", False):
                    stream.flush()
            except BaseException as error:
                if name == "stdout":
                    broken = 120
                    sys.unraisablehook(
                        type("U", (), dict(exc_type=type(error), exc_value=error, exc_traceback=None, err_msg=None, object=stream))
                    )
                    setattr(sys, name, None)
        return broken

    def work(to_leader, notices):
        """A process waiting for its run; becomes it."""
        message, ancillary, _, _ = line.recvmsg(64, _socket.CMSG_SPACE(16 * 4))
        if not message:
            os._exit(0)
        conn, *given = descriptors(ancillary)
        to_leader.sendmsg([b"c"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, conn.to_bytes(4, sys.byteorder))])
        os.write(notices, b"t")
        conn = _socket.socket(fileno=conn)
        conn.send(b"k")
        # Before the program could send anything, and while the client is answering.
        unrouted = unroutable()

        def exactly(count):
            data = bytearray()
            while len(data) < count:
                more = conn.recv(count - len(data))
                if not more:
                    os._exit(0)
                data += more
            return bytes(data)

        request = unpack(exactly(int.from_bytes(exactly(4), "little")))
        parts_of_run["handler"], event = request[0], os.fsdecode(request[1])
        for number, fd in enumerate(given[:3]):
            os.dup2(fd, number)
        for fd in given[:3]:
            os.close(fd)
        if len(given) > 3:
            event = given[3]
        try:
            apply(request[2:])
            keep_apart()
            streams()
            reseed()
        except BaseException as error:
            os.write(2, ("forewarm: the run could not begin: %r\n" % (error,)).encode())
            os._exit(125)
        conn.close()
        line.close()
        os.close(notices)
        to_leader.send(b"".join(number.to_bytes(8, "little") for number in (time.monotonic_ns(), unrouted)))
        to_leader.close()
        code = 0
        try:
            if mode == "handler":
                handled(event)
            else:
                program()
        except BaseException as error:
            code = report(error)
        try:
            broken = finish()
        except BaseException as error:
            broken = report(error)
        if code == -2:
            _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
            os.kill(os.getpid(), _signal.SIGINT)
        os._exit(broken or (code if code != -2 else 130))

    # --- who stands over a run ---

    SUBREAPER, UNUSED = 36, 2

    def lead(notices):
        """The parent of one run's process: adopts and ends what it leaves behind, watches the client, tells the end."""
        call(prctl, SUBREAPER, 1, 0, 0, 0)
        os.setsid()
        mine, theirs = _socket.socketpair(AF, SEQ)
        worker = os.fork()
        if worker == 0:
            mine.close()
            call(prctl, SUBREAPER, 0, 0, 0, 0)
            work(theirs, notices)
        theirs.close()
        os.close(notices)
        woken, waking = os.pipe()
        os.set_blocking(waking, False)
        os.set_blocking(woken, False)
        for number in (1, 2, 3, 10, 12, 13, 14, 15, 20, 21, 22):
            _signal.signal(number, _signal.SIG_IGN)
        _signal.signal(_signal.SIGCHLD, lambda *_: None)
        _signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        poller = select.poll()
        poller.register(woken, select.POLLIN)
        poller.register(mine.fileno(), select.POLLIN)
        conn, first, unrouted, ended, totals, listening = None, 0, 0, None, [0.0, 0.0, 0, 0, 0, 0, 0, 0, 0], True
        delays = [None, None]

        def delay():
            """Nanoseconds that the worker was runnable and waited for a core."""
            try:
                with open("/proc/%d/schedstat" % worker, "rb") as text:
                    return int(text.read().split()[1])
            except (OSError, ValueError, IndexError):
                return None

        def reap(options):
            nonlocal ended
            while True:
                try:
                    # What the kernel counts of it goes when it is reaped.
                    if ended is None and os.waitid(os.P_PID, worker, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                        delays[1] = delay()
                    pid, status, usage = os.wait4(-1, options)
                except ChildProcessError:
                    return False
                except InterruptedError:
                    continue
                if pid == 0:
                    return True
                if os.WIFSTOPPED(status) or os.WIFCONTINUED(status):
                    if pid == worker and conn is not None:
                        send(conn, b"s" if os.WIFSTOPPED(status) else b"c")
                    continue
                used = (usage.ru_utime, usage.ru_stime, usage.ru_minflt, usage.ru_majflt, usage.ru_nvcsw)
                used += (usage.ru_nivcsw, usage.ru_inblock, usage.ru_oublock)
                for at, value in enumerate(used):
                    totals[at] += value
                totals[8] = max(totals[8], usage.ru_maxrss)
                if pid == worker:
                    ended = (status, time.monotonic_ns())

        def hear():
            nonlocal conn, first, unrouted
            message, ancillary, _, _ = mine.recvmsg(64, _socket.CMSG_SPACE(4))
            for passed in descriptors(ancillary):
                conn = _socket.socket(fileno=passed)
            if len(message) == 16:
                first, unrouted = (int.from_bytes(message[at : at + 8], "little") for at in (0, 8))
                delays[0] = delay()
                poller.register(conn.fileno(), select.POLLHUP | select.POLLRDHUP)
            return bool(message)

        def send(conn, data):
            try:
                conn.send(data)
            except OSError:
                pass

        while ended is None:
            reap(os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
            if ended is not None:
                break
            for fd, events in poller.poll():
                if fd == woken:
                    os.read(woken, 4096)
                elif conn is not None and fd == conn.fileno():
                    # The client says nothing after its request, so that this is its end.
                    end(worker)
                    poller.unregister(conn.fileno())
                elif listening and not hear():
                    listening = False
                    poller.unregister(mine.fileno())
        # A short run may be over before what it said first is heard.
        mine.setblocking(False)
        try:
            while listening and hear():
                pass
        except BlockingIOError:
            pass
        if conn is None:
            os._exit(UNUSED)
        left = sweep(reap)
        status, moment = ended
        kind = b"x" if os.WIFEXITED(status) else b"k"
        number = os.WEXITSTATUS(status) if os.WIFEXITED(status) else os.WTERMSIG(status)
        # The worker may have begun some microseconds before that was heard.
        delayed = 0 if None in delays else 1 + max(delays[1] - delays[0], 0)
        refused = int(status != 0 and unroutable() > unrouted)
        data = pack([kind, number, first, moment, refused] + ["%.6f" % value for value in totals[:2]] + [int(value) for value in totals[2:]] + [delayed])
        send(conn, b"e" + len(data).to_bytes(4, "little") + data)
        os._exit(1 if left else 0)

    def unroutable():
        """Packets that no route led out for: the trace of a program that tried to reach another machine."""
        try:
            with open("/proc/self/net/snmp", "rb") as text:
                names, values = [words.split() for words in text if words.startswith(b"Ip:")]
            return int(values[names.index(b"OutNoRoutes")])
        except (OSError, ValueError):
            return 0

    def end(pid):
        try:
            os.kill(pid, _signal.SIGKILL)
        except OSError:
            pass

    def children():
        try:
            with open("/proc/self/task/%d/children" % os.getpid(), "rb") as text:
                return [int(word) for word in text.read().split()]
        except OSError:
            return None

    def sweep(reap):
        """Ends all that the run started and left; whether some may be left all the same."""
        for _ in range(200):
            found = children()
            if found is None:
                return True
            for pid in found:
                end(pid)
            if not reap(os.WNOHANG):
                return False
            time.sleep(0.001)
        return True

    # --- the zygote's own life ---

    gc.collect()
    if hasattr(gc, "freeze"):
        gc.freeze()
    notes, notices = os.pipe()
    os.set_blocking(notes, False)
    _signal.set_wakeup_fd(-1)
    woken, waking = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(waking, False)
    leaders, waiting = {}, 0

    def hatch():
        pid = os.fork()
        if pid == 0:
            _signal.set_wakeup_fd(-1)
            _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
            for fd in (woken, waking, notes):
                os.close(fd)
            try:
                lead(notices)
            finally:
                os._exit(1)
        leaders[pid] = True

    _signal.signal(_signal.SIGCHLD, lambda *_: None)
    _signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    poller = select.poll()
    poller.register(woken, select.POLLIN)
    poller.register(notes, select.POLLIN)
    began = time.monotonic_ns()
    if spares:
        hatch()
        waiting = 1
    tell(b"R", time.monotonic_ns() - began)
    failures = 0
    while True:
        # Without a process waiting, the request of a run is what one is made for.
        poller.register(line.fileno(), 0 if waiting > 0 else select.POLLIN)
        for fd, events in poller.poll():
            if fd == line.fileno():
                if events & (select.POLLHUP | select.POLLERR):
                    # The holder lets go; what runs is ended with the namespace.
                    os._exit(0)
                if waiting <= 0:
                    hatch()
                    waiting += 1
                continue
            if fd == notes:
                waiting -= len(os.read(notes, 4096))
                failures = 0
            else:
                os.read(woken, 4096)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if leaders.pop(pid, None):
                if os.WIFEXITED(status) and os.WEXITSTATUS(status) == UNUSED:
                    waiting -= 1
                else:
                    tell(b"D", status)
        while 0 <= waiting < spares and failures < 8:
            failures += 1
            hatch()
            waiting += 1


zygote()
