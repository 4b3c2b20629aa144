import { Button, Text, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { Component, type ReactNode } from 'react';
import classes from './States.module.css';

type Props = { /** Another place gets another try. */ at: string; children: ReactNode };
type State = { at: string; error: unknown };

/** A part of the console that is fetched when it is opened, and was not there: each browser says it in its way. */
const NOT_FETCHED = /dynamically imported module|importing a module script failed|preload css/i;

function wordsFor(error: unknown): [title: string, words: string] {
  if (NOT_FETCHED.test(error instanceof Error ? error.message : ''))
    return [
      'This room could not be fetched',
      'Ringside was renewed since this page was opened, or the connection is gone. Reload the page; what is saved stays.',
    ];
  return [
    'This room could not be shown',
    'Something in the console went wrong. Reload the page; what is saved stays. If it happens again, tell whoever runs this Ringside.',
  ];
}

/** Keeps what goes wrong in one room from taking the whole console with it. */
export class Boundary extends Component<Props, State> {
  state: State = { at: this.props.at, error: null };

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { error: error ?? new Error('unknown') };
  }

  static getDerivedStateFromProps({ at }: Props, state: State): Partial<State> | null {
    return at === state.at ? null : { at, error: null };
  }

  render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    const [title, words] = wordsFor(error);
    return (
      <div className={classes.state} data-bad role="alert">
        <div className={classes.icon}>
          <IconAlertTriangle size={20} aria-hidden />
        </div>
        <Title order={1} fz="sm">
          {title}
        </Title>
        <Text className={classes.words}>{words}</Text>
        <Button mt={10} onClick={() => window.location.reload()}>
          Reload
        </Button>
      </div>
    );
  }
}
