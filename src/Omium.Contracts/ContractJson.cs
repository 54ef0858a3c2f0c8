using System.Text.Json;
using System.Text.Json.Serialization;
using Omium.Contracts.Access;
using Omium.Contracts.Analytics;
using Omium.Contracts.Billing;
using Omium.Contracts.Executions;
using Omium.Contracts.Failures;
using Omium.Contracts.Policies;
using Omium.Contracts.Reviews;
using Omium.Contracts.Sharing;
using Omium.Contracts.Tenants;
using Omium.Contracts.Workers;
using Omium.Contracts.Workflows;

namespace Omium.Contracts;

/// <summary>
/// How the records of this assembly are written and read: snake_case, nulls left out, source-generated. Shared by server, SDK and command, so
/// that they cannot disagree. Unknown members are passed over, so that an older client reads a newer server's answers.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(StartExecutionRequest))]
[JsonSerializable(typeof(ExecutionView))]
[JsonSerializable(typeof(EventRecord))]
[JsonSerializable(typeof(GraphView))]
[JsonSerializable(typeof(VerifyView))]
[JsonSerializable(typeof(DiffView))]
[JsonSerializable(typeof(PauseRequest))]
[JsonSerializable(typeof(RollbackRequest))]
[JsonSerializable(typeof(RollbackView))]
[JsonSerializable(typeof(RetryRequest))]
[JsonSerializable(typeof(ResidueView))]
[JsonSerializable(typeof(ResolveResidueRequest))]
[JsonSerializable(typeof(ForkRequest))]
[JsonSerializable(typeof(ForkPreviewView))]
[JsonSerializable(typeof(MigrateRequest))]
[JsonSerializable(typeof(MigrationView))]
[JsonSerializable(typeof(ReviewView))]
[JsonSerializable(typeof(DecideReviewRequest))]
[JsonSerializable(typeof(IssueApprovalTokenRequest))]
[JsonSerializable(typeof(ApprovalTokenView))]
[JsonSerializable(typeof(ApproveRequest))]
[JsonSerializable(typeof(TestFixRequest))]
[JsonSerializable(typeof(TestFixView))]
[JsonSerializable(typeof(ProposeFixRequest))]
[JsonSerializable(typeof(ProposalView))]
[JsonSerializable(typeof(FailureView))]
[JsonSerializable(typeof(FailureExport))]
[JsonSerializable(typeof(SaveWorkflowRequest))]
[JsonSerializable(typeof(WorkflowView))]
[JsonSerializable(typeof(ImportView))]
[JsonSerializable(typeof(ValidateView))]
[JsonSerializable(typeof(SuggestView))]
[JsonSerializable(typeof(PutPolicyRequest))]
[JsonSerializable(typeof(PolicyView))]
[JsonSerializable(typeof(DryRunRequest))]
[JsonSerializable(typeof(DryRunView))]
[JsonSerializable(typeof(MeView))]
[JsonSerializable(typeof(CreateKeyRequest))]
[JsonSerializable(typeof(KeyView))]
[JsonSerializable(typeof(HealthSummary))]
[JsonSerializable(typeof(SignUpView))]
[JsonSerializable(typeof(SessionView))]
[JsonSerializable(typeof(SignedInView))]
[JsonSerializable(typeof(MemberView))]
[JsonSerializable(typeof(InvitationView))]
[JsonSerializable(typeof(SecretView))]
[JsonSerializable(typeof(RetentionView))]
[JsonSerializable(typeof(SingleSignOnView))]
[JsonSerializable(typeof(ErasureView))]
[JsonSerializable(typeof(Page<SecretView>), TypeInfoPropertyName = "SecretPage")]
[JsonSerializable(typeof(AuditVerifyView))]
[JsonSerializable(typeof(Page<AuditRowView>), TypeInfoPropertyName = "AuditPage")]
[JsonSerializable(typeof(Page<MemberView>), TypeInfoPropertyName = "MemberPage")]
[JsonSerializable(typeof(Page<InvitationView>), TypeInfoPropertyName = "InvitationPage")]
[JsonSerializable(typeof(AnalyticsView))]
[JsonSerializable(typeof(RecoveryView))]
[JsonSerializable(typeof(SharedValueView))]
[JsonSerializable(typeof(ScopeAliasView))]
[JsonSerializable(typeof(Page<RootView>), TypeInfoPropertyName = "RootPage")]
[JsonSerializable(typeof(Page<ScopeAliasView>), TypeInfoPropertyName = "ScopeAliasPage")]
[JsonSerializable(typeof(TraceRequest))]
[JsonSerializable(typeof(TraceStepRequest))]
[JsonSerializable(typeof(TraceView))]
[JsonSerializable(typeof(BillingView))]
[JsonSerializable(typeof(TopUpRequest))]
[JsonSerializable(typeof(TopUpView))]
[JsonSerializable(typeof(PaymentReceipt))]
[JsonSerializable(typeof(Page<TransactionView>), TypeInfoPropertyName = "TransactionPage")]
[JsonSerializable(typeof(PollRequest))]
[JsonSerializable(typeof(TaskView))]
[JsonSerializable(typeof(HeartbeatView))]
[JsonSerializable(typeof(CompleteTaskRequest))]
[JsonSerializable(typeof(FailTaskRequest))]
[JsonSerializable(typeof(Page<ExecutionSummary>), TypeInfoPropertyName = "ExecutionPage")]
[JsonSerializable(typeof(Page<StepView>), TypeInfoPropertyName = "StepPage")]
[JsonSerializable(typeof(Page<EventRecord>), TypeInfoPropertyName = "EventPage")]
[JsonSerializable(typeof(Page<StepView>), TypeInfoPropertyName = "StepPage")]
[JsonSerializable(typeof(Page<TimelineEntry>), TypeInfoPropertyName = "TimelinePage")]
[JsonSerializable(typeof(Page<ReviewView>), TypeInfoPropertyName = "ReviewPage")]
[JsonSerializable(typeof(Page<ResidueView>), TypeInfoPropertyName = "ResiduePage")]
[JsonSerializable(typeof(Page<PolicyView>), TypeInfoPropertyName = "PolicyPage")]
[JsonSerializable(typeof(Page<FailureSummary>), TypeInfoPropertyName = "FailurePage")]
[JsonSerializable(typeof(Page<WorkflowSummary>), TypeInfoPropertyName = "WorkflowPage")]
[JsonSerializable(typeof(Page<KeyView>), TypeInfoPropertyName = "KeyPage")]
public sealed partial class ContractJson : JsonSerializerContext;

/// <summary>
/// How a server reads requests: strictly. A member that a record requires must be there, none may be null that cannot be, and unknown members are
/// refused, so that a misspelt one is not passed over in silence.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false, // Readers disagree on which of two counts; a proxy that checks one must not be passed by the other.
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ScopeAliasView))]
[JsonSerializable(typeof(PollRequest))]
[JsonSerializable(typeof(CompleteTaskRequest))]
[JsonSerializable(typeof(FailTaskRequest))]
[JsonSerializable(typeof(TraceRequest))]
[JsonSerializable(typeof(TraceStepRequest))]
[JsonSerializable(typeof(StartExecutionRequest))]
[JsonSerializable(typeof(PauseRequest))]
[JsonSerializable(typeof(RollbackRequest))]
[JsonSerializable(typeof(RetryRequest))]
[JsonSerializable(typeof(ResolveResidueRequest))]
[JsonSerializable(typeof(ForkRequest))]
[JsonSerializable(typeof(MigrateRequest))]
[JsonSerializable(typeof(DecideReviewRequest))]
[JsonSerializable(typeof(IssueApprovalTokenRequest))]
[JsonSerializable(typeof(ApproveRequest))]
[JsonSerializable(typeof(TestFixRequest))]
[JsonSerializable(typeof(ProposeFixRequest))]
[JsonSerializable(typeof(SaveWorkflowRequest))]
[JsonSerializable(typeof(ImportWorkflowRequest))]
[JsonSerializable(typeof(PutPolicyRequest))]
[JsonSerializable(typeof(DryRunRequest))]
[JsonSerializable(typeof(CreateKeyRequest))]
[JsonSerializable(typeof(SignUpRequest))]
[JsonSerializable(typeof(VerifySignUpRequest))]
[JsonSerializable(typeof(SignInRequest))]
[JsonSerializable(typeof(RefreshRequest))]
[JsonSerializable(typeof(SwitchTenantRequest))]
[JsonSerializable(typeof(ChangePasswordRequest))]
[JsonSerializable(typeof(AcceptInvitationRequest))]
[JsonSerializable(typeof(InviteRequest))]
[JsonSerializable(typeof(ChangeMemberRequest))]
[JsonSerializable(typeof(TopUpRequest))]
[JsonSerializable(typeof(SetSecretRequest))]
[JsonSerializable(typeof(SetSingleSignOnRequest))]
[JsonSerializable(typeof(RetentionView))]
public sealed partial class RequestJson : JsonSerializerContext;
