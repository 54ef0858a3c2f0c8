using Microsoft.Extensions.Options;
using Omium.Api.Access;
using Omium.Api.Audit;
using Omium.Api.Executions;
using Omium.Api.Http;
using Omium.Api.Keys;
using Omium.Api.Policies;
using Omium.Api.Reviews;
using Omium.Api.Sessions;
using Omium.Api.SingleSignOn;
using Omium.Api.Tenants;
using Omium.Api.Workflows;
using Omium.Runtime.Audit;
using Omium.Runtime.Billing;
using Omium.Runtime.Effects;
using Omium.Runtime.Effects.Secrets;
using Omium.Runtime.Effects.Tools;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Resources;
using Omium.Runtime.Search;
using Omium.Runtime.Workers;

namespace Omium.Api;

/// <summary>What endpoints work with; one for the process.</summary>
internal sealed record ApiServices(
    Advancer Advancer,
    IExecutionEngine Engine,
    ExecutionFeed Feed,
    PlanCache Plans,
    Verifier Verifier,
    ResourceAdvancer Resources,
    ResourceVerifier ResourceVerifier,
    ScopeAliases Aliases,
    IDocumentStore Documents,
    IIndex Index,
    SearchTerms Search,
    IModelClient Model,
    KeyService Keys,
    Authenticator Authenticator,
    AccountService Accounts,
    SessionService Sessions,
    SignInThrottle Throttle,
    TenantDirectory Tenants,
    RetentionService Retention,
    ForkFamily Family,
    SingleSignOnService SingleSignOn,
    GuardedFetch Fetch,
    AuditTrail Audit,
    AuditSettler AuditSettler,
    AuditedStore AuditedStore,
    Acts Acts,
    ApprovalTokens ApprovalTokens,
    ApprovalThrottle ApprovalThrottle,
    StoredSecrets Secrets,
    PersonVault Persons,
    WorkflowStore Workflows,
    TaskBoard Tasks,
    PolicyStore Policies,
    EndedAnswers Ended,
    RateLimits Rates,
    IdempotentRequests Idempotency,
    BillingService Billing,
    CreditDesk Credits,
    LedgerVerifier LedgerVerifier,
    IPaymentGateway Payments,
    TimeProvider Time,
    IOptions<OmiumApiOptions> Configured)
{
    public OmiumApiOptions Options => Configured.Value;
}
