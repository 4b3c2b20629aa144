import { Alert, Button, Modal, Text } from '@mantine/core';
import { inWords } from '../api/errors';
import { FormFoot } from '../ui/FormFoot';
import { notifyDone } from '../ui/notify';
import { Loading } from '../ui/States';
import classes from './Billing.module.css';
import { PlanEffects } from './PlanEffects';
import { type Account, type Preview, useChangePlan, useEffects, usePreview, type Wanted } from './queries';
import { day, money } from './words';

function sumWords(shown: Preview): string {
  if (shown.total_minor < 0) return 'Credit for the invoices to come';
  return shown.is_now ? 'To be paid now' : 'The first payment';
}

type Props = { wanted: Wanted; title: string; account: Account; onClose: () => void };

/** What a change costs now, line by line, before it is made. */
export function ChangeDialog({ wanted, title, account, onClose }: Props) {
  const preview = usePreview(wanted);
  const effects = useEffects(wanted.plan);
  const change = useChangePlan();
  const shown = preview.data;
  const go = () => {
    if (!shown) return;
    change.mutate(
      { ...wanted, at: shown.at },
      {
        onSuccess: () => {
          notifyDone(`The plan is ${title} for ${wanted.seats} ${wanted.seats === 1 ? 'seat' : 'seats'} now`);
          onClose();
        },
      },
    );
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={`${title}, ${wanted.seats} ${wanted.seats === 1 ? 'seat' : 'seats'}`}
      size="lg"
    >
      <PlanEffects title={title} query={effects} />
      {preview.isPending && <Loading rows={4} />}
      {preview.isError && (
        <Alert color="red" role="alert" mb="md">
          {inWords(preview.error)}
        </Alert>
      )}
      {shown && (
        <>
          <table className={classes.lines}>
            <tbody>
              {shown.lines.map((line) => (
                <tr key={`${line.words} ${line.amount_minor}`}>
                  <td>{line.words}</td>
                  <td>{money(line.amount_minor, shown.currency)}</td>
                </tr>
              ))}
            </tbody>
            <tfoot>
              <tr>
                <td>{sumWords(shown)}</td>
                <td>
                  {money(
                    Math.abs(shown.is_now && shown.total_minor > 0 ? shown.due_minor : shown.total_minor),
                    shown.currency,
                  )}
                </td>
              </tr>
            </tfoot>
          </table>
          <Text size="sm" className="muted" my="md">
            {shown.due_minor > 0
              ? `${account.card || 'The card on file'} is charged at once. If it is declined, nothing changes.`
              : shown.is_now
                ? 'Nothing is charged now.'
                : `Nothing is charged before the trial ends on ${day(account.trial_ends_at)}.`}
          </Text>
        </>
      )}
      <FormFoot error={change.error} onCancel={onClose}>
        <Button onClick={go} loading={change.isPending} disabled={!shown || !effects.data} data-autofocus>
          {shown && shown.due_minor > 0 ? `Pay ${money(shown.due_minor, shown.currency)}` : 'Change the plan'}
        </Button>
      </FormFoot>
    </Modal>
  );
}
