/** The tokens of one file, with look-ahead, for the parser. */
import { Lexer } from "./lexer.ts";
import type { QuotedOptions } from "./strings.ts";
import type { Token } from "./token.ts";

/** The tokens of a file, with the questions about what comes next that the grammar asks. */
export class TokenStream {
  readonly #lexer: Lexer;
  /** Line of the end of the last token taken. */
  line = 1;

  constructor(text: string, file: string, options: QuotedOptions) {
    this.#lexer = new Lexer(text, file, options);
  }

  get text(): string {
    return this.#lexer.text;
  }

  /** The token `distance` tokens ahead, without taking it. */
  peek(distance = 0): Token {
    return this.#lexer.peek(distance);
  }

  take(): Token {
    const token = this.#lexer.next();
    this.line = token.endLine;
    return token;
  }

  /** Does a key start `distance` tokens ahead? A text is one when `=`, `:` or `{` follows. */
  isKey(distance = 0): boolean {
    const token = this.peek(distance);
    if (token.type !== "word" && token.type !== "quoted") return false;
    const next = this.peek(distance + 1);
    return next.type === "=" || next.type === ":" || next.type === "{" || next.text === "+=";
  }

  /** Does an `include` of a file start here? */
  isInclude(): boolean {
    const token = this.peek();
    if (token.type !== "word" || token.text !== "include") return false;
    const next = this.peek(1);
    return next.type === "quoted" || (next.type === "word" && this.peek(2).type === "(");
  }

  /** Moves to the next place after `line` where a member may start or the object may end. */
  skipToMember(line: number): void {
    let nested = 0;
    for (;;) {
      const token = this.peek();
      if (token.type === "end") return;
      if (nested === 0) {
        if (token.type === "}") return;
        const isFirstOfLine = token.at.line > this.line;
        if (isFirstOfLine && token.at.line > line && (this.isKey() || this.isInclude())) return;
        if (token.type === "," && this.isKey(1)) {
          this.take();
          return;
        }
      }
      if (token.type === "{" || token.type === "[") nested += 1;
      else if ((token.type === "}" || token.type === "]") && nested > 0) nested -= 1;
      this.take();
    }
  }
}
