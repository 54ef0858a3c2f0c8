import { createRootRoute, createRoute, createRouter, lazyRouteComponent, type ErrorComponentProps } from '@tanstack/react-router';
import { Root } from './layout/Root';
import { NotFound } from './layout/NotFound';
import { OverviewPage } from './pages/overview/OverviewPage';
import { ErrorNote } from './ui/states';

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

const rootRoute = createRootRoute({ component: Root, notFoundComponent: NotFound });

const overviewRoute = createRoute({ getParentRoute: () => rootRoute, path: '/', component: OverviewPage });

const executionsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/executions',
  validateSearch: (search): { status?: string; workflow?: string; failure_class?: string; q?: string; from?: string; to?: string } => ({
    status: text(search.status), workflow: text(search.workflow), failure_class: text(search.failure_class), q: text(search.q), from: text(search.from), to: text(search.to),
  }),
  component: lazyRouteComponent(() => import('./pages/executions/ExecutionsPage'), 'ExecutionsPage'),
});

const executionRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/executions/$executionId',
  validateSearch: (search): { tab?: string; at?: number; step?: string } => ({
    step: text(search.step),
    tab: text(search.tab),
    at: Number.isInteger(search.at) && Number(search.at) > 0 ? Number(search.at) : undefined,
  }),
  component: lazyRouteComponent(() => import('./pages/execution/ExecutionPage'), 'ExecutionPage'),
});

const failuresRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/failures',
  validateSearch: (search): { status?: string } => ({ status: text(search.status) }),
  component: lazyRouteComponent(() => import('./pages/failures/FailuresPage'), 'FailuresPage'),
});

const failureRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/failures/$failureId',
  component: lazyRouteComponent(() => import('./pages/failure/FailurePage'), 'FailurePage'),
});

const residueRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/residue',
  validateSearch: (search): { status?: string } => ({ status: text(search.status) }),
  component: lazyRouteComponent(() => import('./pages/residue/ResiduePage'), 'ResiduePage'),
});

const reviewsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/reviews',
  validateSearch: (search): { kind?: string } => ({ kind: text(search.kind) }),
  component: lazyRouteComponent(() => import('./pages/reviews/ReviewsPage'), 'ReviewsPage'),
});

const workflowsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/workflows',
  component: lazyRouteComponent(() => import('./pages/workflows/WorkflowsPage'), 'WorkflowsPage'),
});

const importRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/workflows/import',
  component: lazyRouteComponent(() => import('./pages/workflows/ImportPage'), 'ImportPage'),
});

const setupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/workflows/setup',
  component: lazyRouteComponent(() => import('./pages/setup/SetupPage'), 'SetupPage'),
});

const editRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/workflows/$name/edit',
  component: lazyRouteComponent(() => import('./pages/workflows/EditPage'), 'EditPage'),
});

const workflowRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/workflows/$name',
  validateSearch: (search): { tab?: string; version?: number } => ({
    tab: text(search.tab),
    version: Number.isInteger(search.version) ? Number(search.version) : undefined,
  }),
  component: lazyRouteComponent(() => import('./pages/workflows/WorkflowPage'), 'WorkflowPage'),
});

const keysRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/keys',
  component: lazyRouteComponent(() => import('./pages/keys/KeysPage'), 'KeysPage'),
});

const compareRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/compare',
  validateSearch: (search): { left?: string; right?: string } => ({ left: text(search.left), right: text(search.right) }),
  component: lazyRouteComponent(() => import('./pages/compare/ComparePage'), 'ComparePage'),
});

const analyticsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/analytics',
  validateSearch: (search): { by?: string; bucket?: string; days?: number } => ({
    by: text(search.by), bucket: text(search.bucket), days: Number.isInteger(search.days) && Number(search.days) > 0 ? Number(search.days) : undefined,
  }),
  component: lazyRouteComponent(() => import('./pages/analytics/AnalyticsPage'), 'AnalyticsPage'),
});

const docsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/guide/$',
  validateSearch: (search): { q?: string } => ({ q: text(search.q) }),
  component: lazyRouteComponent(() => import('./pages/docs/DocsPage'), 'DocsPage'),
});

const billingRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/billing',
  validateSearch: (search): { kind?: string } => ({ kind: text(search.kind) }),
  component: lazyRouteComponent(() => import('./pages/billing/BillingPage'), 'BillingPage'),
});

const auditRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/audit',
  validateSearch: (search): { action?: string; actor?: string; subject?: string; from?: string; to?: string } => ({
    action: text(search.action), actor: text(search.actor), subject: text(search.subject), from: text(search.from), to: text(search.to),
  }),
  component: lazyRouteComponent(() => import('./pages/audit/AuditPage'), 'AuditPage'),
});

const settingsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/settings',
  validateSearch: (search): { tab?: string } => ({ tab: text(search.tab) }),
  component: lazyRouteComponent(() => import('./pages/settings/SettingsPage'), 'SettingsPage'),
});

const routeTree = rootRoute.addChildren([
  overviewRoute, executionsRoute, executionRoute, failuresRoute, failureRoute, reviewsRoute, workflowsRoute, importRoute, setupRoute, editRoute, workflowRoute, keysRoute,
  residueRoute, compareRoute, analyticsRoute, docsRoute, billingRoute, auditRoute, settingsRoute,
]);

export function createConsoleRouter() {
  return createRouter({
    routeTree,
    defaultPreload: 'intent',
    scrollRestoration: true,
    defaultErrorComponent: ({ error, reset }: ErrorComponentProps) => <ErrorNote error={error} retry={reset} />,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>;
  }
}
