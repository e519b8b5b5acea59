// Stands in for everything that a module imports. The JavaScript interface does not tell the limits of memories and tables and
// the types of globals, so the import section is read here.

class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }
  byte() {
    return this.bytes[this.at++];
  }
  // An unsigned LEB128 number of up to 53 bits.
  number() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }
  name() {
    const length = this.number();
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }
  limits() {
    const flags = this.byte();
    const size = this.number();
    return { initial: size, maximum: flags & 1 ? this.number() : undefined, shared: !!(flags & 2), wide: !!(flags & 4) };
  }
  // The name that the JavaScript interface has for a type.
  type() {
    const code = this.byte();
    if (code === 0x63 || code === 0x64) {
      this.number();
      return "externref";
    }
    return { 0x7f: "i32", 0x7e: "i64", 0x7d: "f32", 0x7c: "f64", 0x7b: "v128", 0x70: "anyfunc" }[code] ?? "externref";
  }
}

function stub(reader, kind, name) {
  if (kind === 0 || kind === 4) {
    if (kind === 4) reader.byte();
    reader.number();
    if (kind === 4) return new WebAssembly.Tag({ parameters: [] });
    return () => {
      throw new Error(`the stubbed import ${name} was called`);
    };
  }
  if (kind === 1) {
    const element = reader.type();
    const { initial, maximum, wide } = reader.limits();
    const address = wide ? { address: "i64", initial: BigInt(initial), maximum: maximum && BigInt(maximum) } : { initial, maximum };
    return new WebAssembly.Table({ element, ...address });
  }
  if (kind === 2) {
    const { initial, maximum, shared, wide } = reader.limits();
    const address = wide ? { address: "i64", initial: BigInt(initial), maximum: maximum && BigInt(maximum) } : { initial, maximum };
    return new WebAssembly.Memory({ ...address, shared });
  }
  const value = reader.type();
  const mutable = reader.byte() === 1;
  return new WebAssembly.Global({ value, mutable }, value === "i64" ? 0n : value[0] === "i" || value[0] === "f" ? 0 : null);
}

// An import object: functions throw when they are called, all else is empty or zero.
export function stubs(bytes) {
  const reader = new Reader(bytes, 8);
  const found = {};
  while (reader.at < bytes.length) {
    const section = reader.byte();
    const end = reader.number() + reader.at;
    if (section === 2) {
      for (let left = reader.number(); left > 0; left--) {
        const [module, name, kind] = [reader.name(), reader.name(), reader.byte()];
        (found[module] ??= {})[name] = stub(reader, kind, `${module}.${name}`);
      }
    }
    if (section > 2 && section < 12) break;
    reader.at = end;
  }
  return found;
}
