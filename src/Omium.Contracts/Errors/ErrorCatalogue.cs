namespace Omium.Contracts.Errors;

/// <summary>An expected failure as data. The code is stable: once published it never changes its meaning.</summary>
/// <param name="Code">Stable snake_case code, the <c>code</c> of the problem document.</param>
/// <param name="HttpStatus">HTTP status that the API answers with.</param>
/// <param name="Title">A few words, the same for every occurrence (RFC 9457 <c>title</c>).</param>
/// <param name="Summary">One sentence: what it means.</param>
/// <param name="Mend">One sentence: what to do.</param>
public sealed record ErrorDefinition(string Code, int HttpStatus, string Title, string Summary, string Mend)
{
    /// <summary>The page in the repository that explains cause, fix and common mistakes.</summary>
    public string Page => $"docs/errors/{Code}.md";
}

/// <summary>Every error the API answers. Each has a page docs/errors/&lt;code&gt;.md; a test holds the two together.</summary>
public static class ErrorCatalogue
{
    private static readonly Dictionary<string, ErrorDefinition> ByCode;

    static ErrorCatalogue()
    {
        All = Define();
        ByCode = All.ToDictionary(error => error.Code, StringComparer.Ordinal);
    }

    /// <summary>All definitions, in the order of the catalogue; codes are unique.</summary>
    public static IReadOnlyList<ErrorDefinition> All { get; }

    /// <summary>The definition of a code (compared by ordinal), or null for a code that the catalogue does not have.</summary>
    public static ErrorDefinition? Find(string code) => ByCode.GetValueOrDefault(code);

    private static ErrorDefinition[] Define() => [.. OfRequests(), .. OfCommands(), .. OfTheServer()];

    private static ErrorDefinition[] OfRequests() =>
    [
        new("not_found", 404, "No such resource",
            "Nothing is served at this path.",
            "Compare the path with the documentation; every route of the API begins with /v1/."),
        new("unauthenticated", 401, "Not signed in",
            "The request carries no valid key or session.",
            "Send `Authorization: Bearer <key>`; `omium dev` prints a key when it starts."),
        new("invalid_json", 400, "Not valid JSON",
            "The body is not valid JSON.",
            "Mend the body at the position that `detail` names."),
        new("invalid_yaml", 400, "Not valid YAML",
            "The body is not valid YAML.",
            "Mend the body at the line that `detail` names."),
        new("request_broken", 400, "The request could not be read",
            "The request breaks HTTP, or its body stopped coming.",
            "Send the whole body, without pauses of seconds; an HTTP library does."),
        new("body_too_large", 413, "Body too large",
            "The body is larger than this endpoint reads.",
            "Send less, or pass large data by reference."),
        new("validation_failed", 422, "The workflow or request has errors",
            "Some values are not acceptable; `errors` lists every one of them.",
            "Mend each entry of `errors`; its `pointer` says where."),
        new("workflow_not_found", 404, "No such workflow",
            "No workflow of this name and version is saved.",
            "List the saved ones with GET /v1/workflows."),
        new("execution_not_found", 404, "No such execution",
            "No execution has this id.",
            "List executions with GET /v1/executions."),
        new("review_not_found", 404, "No such review",
            "No review has this id.",
            "List open reviews with GET /v1/reviews."),
        new("task_not_found", 404, "No such task",
            "No task of a worker has this id.",
            "Ask for a task with POST /v1/workers/poll, and use the id that it answers."),
        new("failure_not_found", 404, "No such failure",
            "No failure has this id.",
            "List failures with GET /v1/failures."),
    ];

    private static ErrorDefinition[] OfCommands() =>
    [
        new("task_fenced", 409, "The task is no longer yours",
            "The lease of this task is over, or what asked for it was taken back.",
            "Stop working on it; poll for the next task, and send heartbeats within `lease_ms`."),
        new("review_closed", 409, "The review was already decided",
            "A review is decided once; this one has its decision.",
            "Read the decision with GET /v1/reviews; there is nothing left to do."),
        new("review_expired", 409, "The review has expired",
            "The time for this decision is over.",
            "Act on the execution itself: retry, rollback or cancel."),
        new("review_digest_mismatch", 409, "Something else was shown",
            "The decision names another digest than the review's.",
            "Read the review again, look at what it shows now, then decide with its `digest`."),
        new("residue_not_found", 404, "No such residue",
            "No effect of this id was left behind by a rollback.",
            "List what was left with GET /v1/residue."),
        new("residue_resolved", 409, "The residue was already dealt with",
            "Another person has recorded what was done about it.",
            "Read it with GET /v1/residue/{id}; there is nothing left to do."),
        new("review_open", 409, "A review is waiting",
            "The execution waits for a person; this command would go past them.",
            "Decide the review first."),
        new("edit_forbidden", 403, "This edit is forbidden",
            "The recovery policy forbids changing this.",
            "Change only what the review's `allowed_edits` names."),
        new("decision_not_allowed", 422, "This decision does not fit the review",
            "The review does not accept this decision.",
            "Choose one of the review's `decisions`."),
        new("execution_ended", 409, "The execution has ended",
            "The command needs a run that has not ended.",
            "Start a new run, or fork this one from an earlier point."),
        new("execution_not_paused", 409, "The execution is not paused",
            "The command needs a paused run.",
            "Pause it first, or wait until it pauses."),
        new("step_not_found", 404, "No such step",
            "The execution has no such visit of a for_each step.",
            "Name a for_each step that has been scheduled, and one of its visits."),
        new("checkpoint_not_found", 404, "No such checkpoint",
            "The execution has no such checkpoint.",
            "Choose one of the checkpoints that the execution's timeline lists."),
        new("rollback_orphans_consumer", 409, "The rollback would orphan a consumer",
            "A committed step outside the rollback has used what it would undo.",
            "Widen the rollback so that it holds the consumer named in `detail`."),
        new("rollback_irreversible", 409, "Something cannot be undone",
            "The rollback or retry would leave an effect in the world that nothing can undo.",
            "Choose a later checkpoint, or decide the review that names the effect."),
        new("rollback_in_progress", 409, "A rollback is under way",
            "Effects are being undone; the next command has to wait for that.",
            "Wait until the execution is no longer `rolling_back`, then send it again."),
        new("override_refused", 422, "The given output fails the checks",
            "A person's output is held to the same schema and guards as any other, and fails one.",
            "Give an output that meets the check named in `detail`."),
        new("effect_unsettled", 409, "Whether a call happened is not known yet",
            "A call of the failed attempt is under way or being looked up; nothing is committed over it.",
            "Decide again when the call that `detail` names is settled."),
        new("input_invalid", 422, "The input does not fit the workflow",
            "The input does not match the workflow's input schema.",
            "Mend the places that `errors` names."),
        new("alias_taken", 409, "The alias stands for another scope",
            "An alias is set once, so that nothing is ever locked under two names.",
            "Use the scope that `detail` names, or another alias."),
        new("precondition_failed", 412, "It has changed",
            "The resource is no longer the one that `If-Match` names.",
            "Read it again, make the change on what it is now, then send it with its new `ETag`."),
        new("idempotency_mismatch", 422, "The same key with another body",
            "This Idempotency-Key was used with a different body.",
            "Use a new key for a new request."),
    ];

    private static ErrorDefinition[] OfTheServer() =>
    [
        new("data_directory_in_use", 409, "The data directory is in use",
            "Another process has this data directory open.",
            "End that process, or start with another --data directory."),
        new("storage_full", 507, "No space left",
            "The disk that holds the data directory is full.",
            "Free space on it; runs go on by themselves."),
        new("storage_failed", 503, "The store does not answer",
            "The store refused or did not finish an operation.",
            "Try again; if it stays, look at the server's log and the disk."),
        new("execution_set_aside", 503, "The execution is set aside",
            "Deciding about this execution failed, so nothing is begun for it; the others go on.",
            "Remove the cause that `detail` names, then POST /v1/executions/{id}/release."),
        new("CREDITS_EXHAUSTED", 402, "Out of credits",
            "Allowance and balance are used up, or reserved by runs under way.",
            "Top up with POST /v1/billing/topups; what waits goes on by itself."),
        new("key_cap_reached", 402, "The key's limit is reached",
            "The API key has used what it may use in a month.",
            "Raise its limit, use another key, or wait for the next month."),
        new("payments_unavailable", 503, "No payments here",
            "The payment service cannot be reached, or none is configured.",
            "Try again later; nothing was charged."),
        new("webhook_signature_invalid", 400, "Not signed by the payment service",
            "The payment event carries no valid signature of this endpoint's secret, or one that is older than 5 minutes.",
            "Compare the endpoint's secret with the payment service's, and the clocks."),
        new("search_unavailable", 501, "No full-text search here",
            "This server cannot search the texts of executions.",
            "Leave `q` out; filter by workflow, status, failure_class, from and to."),
        new("count_unavailable", 501, "Too many to count here",
            "More rows match than this store counts by reading them.",
            "Narrow the filter, by time or by status."),
        new("too_many_listeners", 503, "Too many event streams",
            "As many event streams are open as this server keeps.",
            "Close those that nobody reads, or wait as long as `Retry-After` says."),
        new("model_not_configured", 503, "No model is configured",
            "The step needs a model, and no model endpoint is configured.",
            "Configure an OpenAI-compatible endpoint, or start `omium dev --demo`."),
        new("method_not_allowed", 405, "Method not allowed",
            "The path exists, but not with this method.",
            "Use a method that the `Allow` header names."),
        new("unsupported_media_type", 415, "Unsupported media type",
            "The body's Content-Type is not read here.",
            "Send `application/json`; workflows may also be `text/yaml`."),
        new("too_large", 422, "Value too large",
            "A value is larger or deeper than Omium handles.",
            "Make it smaller; `detail` names the limit."),
        new("rate_limited", 429, "Too many requests",
            "The key or address sent too many requests.",
            "Wait as long as `Retry-After` says, in seconds."),
        new("host_not_allowed", 421, "Not this host",
            "A local server answers to 127.0.0.1 and localhost only.",
            "Use the address that `omium dev` prints."),
        new("not_ready", 503, "Not ready",
            "The server has not yet taken up what was under way when it last ended.",
            "Wait as long as `Retry-After` says, in seconds; no request is lost by it."),
        new("internal_error", 500, "A bug in Omium",
            "Something happened that should be impossible.",
            "Report it with the trace id in `detail`."),
    ];
}
