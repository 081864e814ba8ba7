// The roles and policies of the gates of a JSON file (GATES_FILE) as two stacks: one in each account.
// The action in the pipeline is not here: the pipeline belongs to somebody else's stack, and CloudFormation cannot change a part of it.
const fs = require("fs");
const { App, Stack, LegacyStackSynthesizer } = require("aws-cdk-lib");
const iam = require("aws-cdk-lib/aws-iam");

const task = JSON.parse(fs.readFileSync(process.env.GATES_FILE));
const { tools, dev } = task.accounts;
const app = new App();
// Templates this small need no staging bucket, so the accounts need no `cdk bootstrap`.
const stack = (name, account) =>
  new Stack(app, name, { env: { account, region: task.region }, synthesizer: new LegacyStackSynthesizer() });
const allow = (actions, resources) => new iam.PolicyStatement({ actions, resources });
const policy = (scope, id, role, name, statements) =>
  new iam.CfnPolicy(scope, id, { policyName: `crossgate-${task.project}-${name}`, roles: [role], policyDocument: new iam.PolicyDocument({ statements }) });

const inDev = stack("gates-dev", dev.id);
const inTools = stack("gates-tools", tools.id);
for (const gate of task.gates) {
  // A template must be told what a script would ask for: the pipeline's service role, and the function's execution role.
  const serviceRole = `arn:aws:iam::${tools.id}:role/service-role/${gate.pipeline}-service`;
  const role = new iam.Role(inDev, `${gate.name}-role`, {
    roleName: gate.invoke_role,
    assumedBy: new iam.AccountPrincipal(tools.id).withConditions({ ArnEquals: { "aws:PrincipalArn": serviceRole } }),
  });
  const arn = `arn:aws:lambda:${task.region}:${dev.id}:function:${gate.function}`;
  const invoke = [allow(["lambda:InvokeFunction"], [arn, `${arn}:*`]), allow(["lambda:ListFunctions"], ["*"])];
  policy(inDev, `${gate.name}-invoke`, role.roleName, "invoke", invoke);
  const answer = allow(["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"], ["*"]);
  policy(inDev, `${gate.name}-callback`, `${gate.function}-execution`, "callback", [answer]);
}
for (const pipeline of new Set(task.gates.map((gate) => gate.pipeline))) {
  const roles = task.gates.filter((gate) => gate.pipeline === pipeline).map((gate) => `arn:aws:iam::${dev.id}:role/${gate.invoke_role}`);
  policy(inTools, `${pipeline}-assume`, `${pipeline}-service`, "assume", [allow(["sts:AssumeRole"], roles)]);
}
