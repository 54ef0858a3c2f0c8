using System.Globalization;
using Microsoft.Extensions.Configuration;
using Omium.Kernel.Ledger;

namespace Omium.Runtime.Billing;

/// <summary>How an installation bills. Defaults: usage is metered on the sandbox plan, which refuses nobody, with 20,000 credits to begin with.</summary>
public sealed record BillingOptions
{
    /// <summary>Whether usage is metered at all. <c>OMIUM_BILLING</c>: on or off; default on.</summary>
    public bool IsMetered { get; init; } = true;

    /// <summary>Plan of a tenant that has none yet. <c>OMIUM_BILLING_PLAN</c>; default sandbox.</summary>
    public PlanTerms Plan { get; init; } = Plans.Sandbox;

    /// <summary>Credits a tenant begins with. <c>OMIUM_BILLING_WELCOME_CREDITS</c>, 0 to 1,000,000,000; default 20,000 (20 USD).</summary>
    public long WelcomeCredits { get; init; } = 20_000;

    /// <summary>
    /// True: agents ask through Omium's own model account, and their tokens are charged by the price table. <c>OMIUM_BILLING_MODEL</c>: metered or own;
    /// default own (the tenant's own key, which costs nothing here).
    /// </summary>
    public bool MetersModel { get; init; }

    /// <summary>
    /// Secret that payment events are signed with. <c>OMIUM_PAYMENT_WEBHOOK_SECRET</c>; without it one is made and kept in the data directory.
    /// </summary>
    public string? WebhookSecret { get; init; }

    /// <summary>What a tenant's ledger begins with.</summary>
    public OpenLedger Opening => new(Plan, WelcomeCredits * Credits.MicroPerCredit);

    /// <summary>Reads the variables named above.</summary>
    /// <exception cref="InvalidOperationException">One of them cannot be read.</exception>
    public static BillingOptions From(IConfiguration configuration)
    {
        var options = new BillingOptions { WebhookSecret = configuration["OMIUM_PAYMENT_WEBHOOK_SECRET"] is { Length: > 0 } secret ? secret : null };
        if (configuration["OMIUM_BILLING_PLAN"] is { Length: > 0 } name)
        {
            options = options with { Plan = Plans.Find(name) ?? throw new InvalidOperationException($"OMIUM_BILLING_PLAN is one of {string.Join(", ", Plans.All.Select(plan => plan.Name))}, not '{name}'.") };
        }

        if (configuration["OMIUM_BILLING_WELCOME_CREDITS"] is { Length: > 0 } welcome)
        {
            options = long.TryParse(welcome, NumberStyles.None, CultureInfo.InvariantCulture, out var credits) && credits <= 1_000_000_000
                ? options with { WelcomeCredits = credits }
                : throw new InvalidOperationException($"OMIUM_BILLING_WELCOME_CREDITS is a whole number from 0 to 1000000000, not '{welcome}'.");
        }

        options = configuration["OMIUM_BILLING"] switch
        {
            null or "" or "on" => options,
            "off" => options with { IsMetered = false },
            var other => throw new InvalidOperationException($"OMIUM_BILLING is on or off, not '{other}'."),
        };
        return configuration["OMIUM_BILLING_MODEL"] switch
        {
            null or "" or "own" => options,
            "metered" => options with { MetersModel = true },
            var other => throw new InvalidOperationException($"OMIUM_BILLING_MODEL is own or metered, not '{other}'."),
        };
    }
}
