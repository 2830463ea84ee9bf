import { packageConfig } from "../../tooling/package/tsup.mjs";

export default packageConfig("src/index.ts", "src/deadline.ts", "src/testing.ts");
