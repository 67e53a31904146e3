import type { Token } from "./tokens.ts"

/** Reads the tokens of a program one after the other. */
export class TokenCursor {
  readonly #tokens: readonly Token[]
  #index = 0

  /** Without blanks and comments. */
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get isAtEnd(): boolean {
    return this.#index >= this.#tokens.length
  }

  /** How many tokens lie behind. */
  get position(): number {
    return this.#index
  }

  peek(ahead = 0): Token | undefined {
    return this.#tokens[this.#index + ahead]
  }

  next(): Token | undefined {
    return this.#tokens[this.#index++]
  }

  skip(count: number): void {
    this.#index += count
  }

  /** Up to the separator of statements. */
  restOfStatement(): readonly Token[] {
    let end = this.#index
    while (end < this.#tokens.length && !isOperator(this.#tokens[end], ";")) end++
    return this.#tokens.slice(this.#index, end)
  }

  since(position: number): readonly Token[] {
    return this.#tokens.slice(position, this.#index)
  }

  /** Whether an operator comes next. */
  isNext(text: string): boolean {
    return isOperator(this.peek(), text)
  }

  accept(text: string): boolean {
    const isThere = this.isNext(text)
    if (isThere) this.#index++
    return isThere
  }

  acceptWords(...words: readonly string[]): boolean {
    const areThere = words.every((word, ahead) => isWord(this.peek(ahead), word))
    if (areThere) this.#index += words.length
    return areThere
  }
}

export function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === "word" && token.text.toLowerCase() === word
}

function isOperator(token: Token | undefined, text: string): boolean {
  return token?.kind === "operator" && token.text === text
}
