import { Button, Modal, Text } from '@mantine/core';
import { FormFoot } from '../ui/FormFoot';
import { Loading } from '../ui/States';
import { PlanEffects } from './PlanEffects';
import { type useCheckout, useEffects, type Wanted } from './queries';

type Props = { wanted: Wanted; title: string; checkout: ReturnType<typeof useCheckout>; onClose: () => void };

/** Before a plan is bought that has less than the trial had: what of that is in use, and what becomes of it. */
export function BuyDialog({ wanted, title, checkout, onClose }: Props) {
  const effects = useEffects(wanted.plan);
  return (
    <Modal opened onClose={onClose} title={`Choose ${title}?`} size="lg">
      {effects.isPending && <Loading rows={3} />}
      <PlanEffects title={title} query={effects} />
      {effects.data && (
        <Text size="sm" className="muted" mb="md">
          {effects.data.rests.length > 0
            ? 'This happens once the plan is bought, on the next page.'
            : 'Everything that you use stays as it is. The plan is bought on the next page.'}
        </Text>
      )}
      <FormFoot error={checkout.error} onCancel={onClose}>
        <Button
          loading={checkout.isPending}
          disabled={!effects.data}
          onClick={() => checkout.mutate(wanted)}
          data-autofocus
        >
          Go on to pay
        </Button>
      </FormFoot>
    </Modal>
  );
}
