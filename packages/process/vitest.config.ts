export { default } from "../../tooling/testing/vitest.base.mjs";
