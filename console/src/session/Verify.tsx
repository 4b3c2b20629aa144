import { LetterPage } from './LetterPage';
import { SIGN_UP } from './letters';

/** Where the letter of a sign-up leads. */
export default function Verify() {
  return <LetterPage purpose={SIGN_UP} />;
}
