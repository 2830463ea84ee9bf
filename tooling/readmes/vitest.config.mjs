import { defineConfig } from "vitest/config";
import base from "../testing/vitest.base.mjs";

export default defineConfig(base);
