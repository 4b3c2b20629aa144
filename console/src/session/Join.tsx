import { LetterPage } from './LetterPage';
import { INVITATION } from './letters';

/** Where an invitation leads. */
export default function Join() {
  return <LetterPage purpose={INVITATION} />;
}
