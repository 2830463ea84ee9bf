import { packageConfig } from "../../tooling/package/tsup.mjs";

export default packageConfig("src/index.ts", "src/transports.ts", "src/framing.ts", "src/testing.ts");
