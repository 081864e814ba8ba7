// Runs a Lambda handler: FILE HANDLER REQUEST_ID DEADLINE (milliseconds since 1970), the event on stdin, the result as a
// marked line on stdout.
import * as modules from "node:module";
import { pathToFileURL } from "node:url";

const [file, name, requestId, deadline] = process.argv.slice(-4);
const context = {
  functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
  functionVersion: "$LATEST",
  invokedFunctionArn: process.env.SANDBOX_FUNCTION_ARN,
  memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
  awsRequestId: requestId,
  logGroupName: `/aws/lambda/${process.env.AWS_LAMBDA_FUNCTION_NAME}`,
  logStreamName: "sandbox",
  getRemainingTimeInMillis: () => Math.max(0, Number(deadline) - Date.now()),
};
const result = (value, then) =>
  process.stdout.write(`\nSANDBOX-RESULT-${requestId} ${JSON.stringify(value)}\n`, then);

// Lambda's runtime finds the SDK for ES modules too by NODE_PATH, which Node.js itself does not.
const hooks = `
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
const require = createRequire(${JSON.stringify(pathToFileURL(file).href)});
export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND" || /^[./]|^\\w+:/.test(specifier)) throw error;
    let found;
    try { found = require.resolve(specifier); } catch { throw error; }
    return next(pathToFileURL(found).href, context);
  }
}`;
if (process.env.NODE_PATH) modules.register?.(`data:text/javascript,${encodeURIComponent(hooks)}`);

try {
  let text = "";
  for await (const chunk of process.stdin) text += chunk;
  const module = await import(pathToFileURL(file));
  const found = (key) => module[key] ?? module.default?.[key];
  const handler = name ? found(name) : (found("handler") ?? found("lambda_handler"));
  if (typeof handler !== "function") throw new Error(`${file} exports no handler`);
  if (handler.length > 2) {
    // With a callback, Lambda waits until nothing is left to do.
    const value = await new Promise((resolve, reject) => handler(JSON.parse(text), context, (e, v) => (e ? reject(e) : resolve(v))));
    result({ value: value ?? null });
  } else {
    const value = await handler(JSON.parse(text), context);
    // Lambda freezes what still runs.
    result({ value: value ?? null }, () => process.exit());
  }
} catch (error) {
  console.error(error);
  result({ error: { errorType: error?.name ?? "Error", errorMessage: error?.message ?? String(error) } }, () => process.exit(1));
}
