import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { components } from '../api/schema';
import { api, dispatcher, queryClient } from '../app/services';

type Schemas = components['schemas'];
export type Billing = Schemas['Billing'];
export type Account = Schemas['BillingAccount'];
export type Plans = Schemas['Plans'];
export type PlanOnSale = Schemas['PlanOnSale'];
export type PlanInForce = Schemas['PlanInForce'];
export type Invoice = Schemas['Invoice'];
export type Preview = Schemas['PlanPreview'];
export type Other = Schemas['OtherSubscription'];
export type Wanted = Schemas['PlanWanted'];
export type Feature = Plans['features'][number]['name'];

export function usePlans() {
  return useQuery({
    queryKey: keys.plans(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/plans', { signal }))),
    staleTime: 60_000,
  });
}

/** Whether the company's plan has a feature, and which plan does; as long as that is not known, it is not in the way. */
export function useFeature(name: Feature) {
  const found = usePlans().data?.features.find((each) => each.name === name);
  return { allowed: found?.allowed ?? true, needed: found?.needed, title: found?.title };
}

export function useBilling() {
  return useQuery({
    queryKey: keys.billing(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/billing', { signal }))),
  });
}

export function useInvoices() {
  return useQuery({
    queryKey: keys.invoices(),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/billing/invoices', { params: { query: { limit: 100 } }, signal })),
    ),
  });
}

const known = (billing: Billing) => {
  queryClient.setQueryData(keys.billing(), billing);
  void queryClient.invalidateQueries({ queryKey: keys.plans() });
  void queryClient.invalidateQueries({ queryKey: keys.invoices() });
};

/** Leaves for a page of the payment provider. */
const leave = ({ url }: { url: string }) => window.location.assign(url);

export function useCheckout() {
  return useMutation({
    mutationFn: (body: Wanted) => unwrap(api.POST('/api/v1/billing/checkout', { body })),
    onSuccess: leave,
  });
}

export function usePortal() {
  return useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/billing/portal')),
    onSuccess: leave,
  });
}

/** What a change costs; asked again for every other wish. */
export function usePreview(wanted: Wanted | null) {
  return useQuery({
    queryKey: keys.planPreview(wanted ?? {}),
    enabled: wanted !== null,
    queryFn: ({ signal }) => unwrap(api.POST('/api/v1/billing/preview', { body: wanted as Wanted, signal })),
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
}

/** What becomes of what is in use with another plan. Always asked for anew: it is what somebody is about to agree to. */
export function useEffects(plan: Wanted['plan']) {
  return useQuery({
    queryKey: keys.planEffects(plan),
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/billing/effects', { params: { query: { plan } }, signal })),
    gcTime: 0,
    staleTime: 0,
  });
}

export function useChangePlan() {
  return useMutation({
    mutationFn: (body: Schemas['PlanChange']) => unwrap(api.POST('/api/v1/billing/change', { body })),
    onSuccess: known,
  });
}

export function useCancelPlan() {
  return useMutation({ mutationFn: () => unwrap(api.POST('/api/v1/billing/cancel')), onSuccess: known });
}

export function useKeepPlan() {
  return useMutation({ mutationFn: () => unwrap(api.POST('/api/v1/billing/keep')), onSuccess: known });
}

/** Ends what was bought twice; the plan is read again, as it shows the second one no more. */
export function useEndOther() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.POST('/api/v1/billing/others/end', { body: { id } })),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: keys.billing() });
      void queryClient.invalidateQueries({ queryKey: keys.invoices() });
    },
  });
}

export function useRedeem() {
  return useMutation({
    mutationFn: (code: string) => unwrap(api.POST('/api/v1/billing/codes', { body: { code } })),
    onSuccess: known,
  });
}

export function useSync() {
  return useMutation({ mutationFn: () => unwrap(api.POST('/api/v1/billing/sync')), onSuccess: known });
}

/** Where an invoice is; its address is asked for when it is wanted, since it is good for some weeks only. */
export function invoiceLinks(id: string) {
  return unwrap(api.GET('/api/v1/billing/invoices/{id}/links', { params: { path: { id } } }));
}
