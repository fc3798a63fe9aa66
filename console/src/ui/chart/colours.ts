// The colour of a series: levels have their own, others go through a palette whose neighbours differ in
// lightness too, for those who see colours differently. tokens.css has the values for both themes.
import { levelOfWord } from '../../model/row';

const kPalette = 10;

export function colourOf(name: string, index: number): string {
  const level = levelOfWord(name);
  // One letter may be a level, and anything else.
  return level === 'none' || name.trim().length < 2 ? `c${index % kPalette}` : `level-${level}`;
}
