import sys


def load(path):
    """Imports the file of a handler as a module of its name."""
    import importlib.util
    import os

    sys.path[0] = os.path.dirname(path)
    module_name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(module_name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    return module


def found(module, file, name):
    """The handler, and what calls it with an event and returns its result."""
    import os

    module_name = module.__name__
    names = [name] if name else ["handler", "lambda_handler"]
    handler = next((getattr(module, name) for name in names if hasattr(module, name)), None)
    if handler is None:
        sys.exit("%s: there is no function %s" % (file, " or ".join(names)))

    class Context:
        function_name = module_name
        function_version = "$LATEST"
        invoked_function_arn = "arn:aws:lambda:local:0:function:" + module_name
        memory_limit_in_mb = "0"
        aws_request_id = "00000000-0000-0000-0000-%012x" % os.getpid()
        log_group_name = log_stream_name = ""
        identity = client_context = None

        @staticmethod
        def get_remaining_time_in_millis():
            return 3600000

    def given(event):
        result = handler(event, Context())
        if hasattr(result, "__await__"):
            import asyncio

            async def awaited():
                return await result

            result = asyncio.run(awaited())
        return result

    return given


def call(module, file, name, event):
    """Calls the handler with what an event holds (a path, a descriptor, `-` or nothing) and prints its result."""
    import json

    handler = found(module, file, name)
    if event == "-":
        given = json.load(sys.stdin)
    elif event != "":
        with open(event, encoding="utf-8") as opened:
            given = json.load(opened)
    else:
        given = {}
    json.dump(handler(given), sys.stdout)
    sys.stdout.write("\n")


def rehearse():
    """Calls the handler with each line of the standard input, and tells a line each time: CPU seconds before the call and of it, of
    all threads and of subprocesses that have ended, and the peak of memory so far. Neither the handler's file nor what it calls sees
    these streams."""
    import json
    import os
    from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

    def used():
        # The clock of the process goes by ticks of some milliseconds under a limit of CPU time; this does not.
        both = [getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
        return sum(one.ru_utime + one.ru_stime for one in both), max(one.ru_maxrss for one in both) * 1024

    events, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    file, name = sys.argv[1:3]
    sys.argv[:] = [file] + sys.argv[4:]
    handler = found(load(os.path.abspath(file)), file, name)
    for line in events:
        event = json.loads(line)
        before, _ = used()
        json.dumps(handler(event))
        after, peak = used()
        json.dump({"before": before, "cpu_seconds": after - before, "peak_bytes": peak}, answers)
        answers.write("\n")
        answers.flush()


def main():
    import os

    file, name, event = sys.argv[1:4]
    sys.argv[:] = [file] + sys.argv[4:]
    sys.excepthook = hook
    call(load(os.path.abspath(file)), file, name, event)


def hook(kind, error, trace):
    # The frames of this runner and of the import machinery are no business of whoever wrote the handler.
    while trace is not None and trace.tb_frame.f_code.co_filename in ("<string>", "<frozen importlib._bootstrap_external>", "<frozen importlib._bootstrap>"):
        trace = trace.tb_next
    sys.__excepthook__(kind, error.with_traceback(trace), trace)

