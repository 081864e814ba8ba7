# Runs a Lambda handler: FILE HANDLER REQUEST_ID DEADLINE (milliseconds since 1970), the event on stdin, the result as a
# marked line on stdout.
import importlib.util, json, logging, os, sys, time

file, name, request_id, deadline = sys.argv[1:5]
# As Lambda's runtime does: the root logger writes to the function's log.
logging.basicConfig(stream=sys.stderr, format="[%(levelname)s]\t%(message)s")


class Context:
    function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    function_version = "$LATEST"
    invoked_function_arn = os.environ["SANDBOX_FUNCTION_ARN"]
    memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
    aws_request_id = request_id
    log_group_name = "/aws/lambda/" + os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    log_stream_name = "sandbox"
    identity = None
    client_context = None

    def get_remaining_time_in_millis(self):
        return max(0, int(deadline) - int(time.time() * 1000))


def result(value, status):
    sys.stderr.flush()
    print("\nSANDBOX-RESULT-" + request_id, json.dumps(value), flush=True)
    # Lambda freezes what still runs: other threads are not waited for.
    os._exit(status)


try:
    event = json.load(sys.stdin)
    sys.path.insert(0, os.path.dirname(file))
    spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(file))[0], file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    handler = getattr(module, name) if name else getattr(module, "handler", None) or module.lambda_handler
    result({"value": handler(event, Context())}, 0)
except BaseException as error:
    import traceback

    traceback.print_exc()
    result({"error": {"errorType": type(error).__name__, "errorMessage": str(error)}}, 1)
