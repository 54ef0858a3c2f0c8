/**
 * The original as it should be compared line by line. A text without a final line break whose last line got lines after
 * it would show that line as taken away and written anew; with the break added, only the new lines count.
 */
export function comparable(original: string, value: string): string {
  const lastOriginal = original.slice(original.lastIndexOf('\n') + 1);
  const lastValue = value.slice(value.lastIndexOf('\n') + 1);
  return lastOriginal !== '' && lastValue !== lastOriginal && `\n${value}`.includes(`\n${lastOriginal}\n`) ? `${original}\n` : original;
}
