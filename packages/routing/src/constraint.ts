// The part in braces of `:id{[0-9]+}`: a regular expression small enough that matching it is linear.
//
//   constraint  = alternative *( "|" alternative )
//   alternative = 1*( item [ quantifier ] )
//   item        = "[" class "]" / "\d" / "\w" / "\." / "." / ALPHA / DIGIT / "_" / "-" / "~"
//   quantifier  = "+" / "*" / "?" / "{n}" / "{n,}" / "{n,m}"
//
// Time is what a backtracking engine could be made to waste, so at most one item of an alternative may vary in length:
// all others have a fixed width, and giving back one character at a time ends after one pass. There are no groups.

/**
 * Compiles the text between the braces into a regular expression that is anchored at both ends.
 *
 * @throws TypeError for what is outside the little language
 */
export function compileConstraint(text: string, pattern: string): RegExp {
  let varying = 0;
  let items = 0;
  for (let at = 0; at < text.length; ) {
    if (text[at] === "|" && items > 0) {
      varying = items = 0;
      at++;
      continue;
    }
    const length = lengthAt(ITEM, text, at);
    if (length === 0) throw refusal(text, pattern, `"${text[at]}" at ${at} is not understood`);
    at += length;
    items++;
    const quantifier = lengthAt(QUANTIFIER, text, at);
    if (quantifier > 0 && !FIXED.test(text.slice(at, at + quantifier)) && ++varying > 1) {
      throw refusal(text, pattern, "more than one part may vary in length");
    }
    at += quantifier;
  }
  if (items === 0) throw refusal(text, pattern, "nothing can match it");
  try {
    return new RegExp(`^(?:${text})$`);
  } catch (cause) {
    throw new TypeError(`Pattern ${JSON.stringify(pattern)}: bad constraint {${text}}`, { cause });
  }
}

const ITEM = /\[\^?(?:\\[\x21-\x7e]|[^\]\\/])+\]|\\[dw.]|[A-Za-z0-9_.~-]/y;
const QUANTIFIER = /[+*?]|\{[0-9]{1,4}(?:,[0-9]{0,4})?\}/y;
const FIXED = /^\{[0-9]+\}$/;

function lengthAt(expression: RegExp, text: string, at: number): number {
  expression.lastIndex = at;
  return expression.exec(text)?.[0].length ?? 0;
}

function refusal(text: string, pattern: string, why: string): TypeError {
  return new TypeError(
    `Pattern ${JSON.stringify(pattern)}: constraint {${text}} is too much for a string (${why}); pass a RegExp instead`,
  );
}
