// Runs a Lambda handler: FILE HANDLER REQUEST_ID TIMEOUT, the event on stdin, the result as a marked line on stdout.
import { pathToFileURL } from "node:url";

const [file, name, requestId, timeout] = process.argv.slice(-4);
const deadline = Date.now() + Number(timeout) * 1000;
const context = {
  functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
  functionVersion: "$LATEST",
  invokedFunctionArn: process.env.SANDBOX_FUNCTION_ARN,
  memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
  awsRequestId: requestId,
  logGroupName: `/aws/lambda/${process.env.AWS_LAMBDA_FUNCTION_NAME}`,
  logStreamName: "sandbox",
  getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
};
const result = (value) => process.stdout.write(`\nSANDBOX-RESULT-${requestId} ${JSON.stringify(value)}\n`);

try {
  let text = "";
  for await (const chunk of process.stdin) text += chunk;
  const module = await import(pathToFileURL(file));
  const found = (key) => module[key] ?? module.default?.[key];
  const handler = name ? found(name) : (found("handler") ?? found("lambda_handler"));
  if (typeof handler !== "function") throw new Error(`${file} exports no handler`);
  const value = handler.length > 2
    ? await new Promise((resolve, reject) => handler(JSON.parse(text), context, (e, v) => (e ? reject(e) : resolve(v))))
    : await handler(JSON.parse(text), context);
  result({ value: value ?? null });
} catch (error) {
  console.error(error);
  result({ error: { errorType: error?.name ?? "Error", errorMessage: error?.message ?? String(error) } });
  process.exitCode = 1;
}
