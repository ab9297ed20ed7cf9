"""A slow and obvious twin: the covariance of all values as one matrix, textbook formulas, numerical derivatives."""

from __future__ import annotations

import numpy as np


def sigma_of(name, theta, visits):
    """The covariance of a person's visits from parameters, written out element by element."""
    if name == "us":  # Sigma = LL', L = D U: log D first, then the elements of U below its diagonal, by row
        root, left = np.eye(visits), list(theta[visits:])
        for a in range(visits):
            for b in range(a):
                root[a, b] = left.pop(0)
        root = np.diag(np.exp(theta[:visits])) @ root
        return root @ root.T
    if name == "ris":
        time = np.arange(visits) - (visits - 1) / 2
        time = time / np.sqrt((time**2).mean())
        sigma = np.empty((visits, visits))
        for a in range(visits):
            for b in range(visits):
                sigma[a, b] = theta[0] + theta[1] * (time[a] + time[b]) + theta[2] * time[a] * time[b]
                sigma[a, b] += theta[3] * (a == b)
        return sigma
    v = visits if name.endswith("h") else 1
    deviations = np.exp(np.resize(theta[:v], visits))
    eta = theta[v:]
    sigma = np.empty((visits, visits))
    for a in range(visits):
        for b in range(visits):
            lag = abs(a - b)
            if lag == 0:
                rho = 1.0
            elif name.startswith("cs"):
                floor = -1 / (visits - 1)
                rho = floor + (1 - floor) / (1 + np.exp(-eta[0]))
            elif name.startswith("ar1"):
                rho = (eta[0] / np.sqrt(1 + eta[0] ** 2)) ** lag
            else:
                rho = eta[lag - 1] / np.sqrt(1 + eta[lag - 1] ** 2)
            sigma[a, b] = deviations[a] * deviations[b] * rho
    return sigma


def elements(theta, visits):
    """The covariance whose elements on and below the diagonal, row by row, are the parameters."""
    sigma = np.empty((visits, visits))
    sigma[np.tril_indices(visits)] = theta
    return np.tril(sigma) + np.tril(sigma, -1).T


def derivative(function, theta, step=1e-3):
    """First derivatives, stacked along the first axis: sixth-order central differences."""
    weights = np.array([-1 / 60, 3 / 20, -3 / 4, 3 / 4, -3 / 20, 1 / 60])
    places = np.array([-3, -2, -1, 1, 2, 3])
    found = []
    for i in range(len(theta)):
        size = step * max(abs(theta[i]), 0.1)
        total = 0.0
        for place, weight in zip(places, weights, strict=True):
            moved = np.array(theta, dtype=float)
            moved[i] += place * size
            total = total + weight * np.asarray(function(moved))
        found.append(total / size)
    return np.array(found)


class Twin:
    """The model of one data set with a covariance ``make(theta)`` (T, T) of a person's visits."""

    def __init__(self, data, make, *, reml=True):
        kept = data.seen
        self.y, self.X = data.y[kept], data.X[kept]
        self.visit, subject = data.visit[kept], data.subject[kept]
        self.same = subject[:, None] == subject[None, :]
        self.weights = np.ones(len(self.y)) if data.weights is None else data.weights[kept]
        self.make, self.reml = make, reml

    def V(self, theta):  # noqa: N802 - the capital letter of the formula
        whole = self.make(theta)[np.ix_(self.visit, self.visit)] * self.same
        return whole / np.sqrt(np.outer(self.weights, self.weights))

    def phi(self, theta):
        return np.linalg.inv(self.X.T @ np.linalg.solve(self.V(theta), self.X))

    def coefficients(self, theta):
        return self.phi(theta) @ self.X.T @ np.linalg.solve(self.V(theta), self.y)

    def minus_log_likelihood(self, theta):
        V = self.V(theta)
        r = self.y - self.X @ self.coefficients(theta)
        n, p = self.X.shape
        twice = n * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + r @ np.linalg.solve(V, r)
        if self.reml:
            twice += -p * np.log(2 * np.pi) + np.linalg.slogdet(self.X.T @ np.linalg.solve(V, self.X))[1]
        return twice / 2

    def gradient(self, theta):
        return derivative(self.minus_log_likelihood, theta)

    def observed(self, theta):
        """Second derivatives: differences of the textbook gradient, which has been held to differences itself."""
        found = derivative(self.textbook_gradient, theta)
        return (found + found.T) / 2

    def projection(self, theta):
        inverse = np.linalg.inv(self.V(theta))
        return inverse - inverse @ self.X @ self.phi(theta) @ self.X.T @ inverse

    def textbook_gradient(self, theta):
        P, slopes = self.projection(theta), derivative(self.V, theta)
        kind = P if self.reml else np.linalg.inv(self.V(theta))
        return np.array([np.trace(kind @ V_i) - self.y @ P @ V_i @ P @ self.y for V_i in slopes]) / 2

    def expected(self, theta):
        kind = self.projection(theta) if self.reml else np.linalg.inv(self.V(theta))
        slopes = derivative(self.V, theta)
        return np.array([[np.trace(kind @ a @ kind @ b) / 2 for b in slopes] for a in slopes])

    def satterthwaite(self, theta, weights):
        """2 (l'Phi l)² over the variance of l'Phi l, by differences of l'Phi l itself."""
        W = np.linalg.inv(self.observed(theta))
        slopes = derivative(lambda t: np.array([weights @ self.phi(t) @ weights]), theta)[:, 0]
        return 2 * (weights @ self.phi(theta) @ weights) ** 2 / (slopes @ W @ slopes)

    def kenward_roger(self, theta, *, linear):
        """Kenward & Roger 1997, equations as printed; second derivatives of V by differences of differences."""
        inverse, phi, X = np.linalg.inv(self.V(theta)), self.phi(theta), self.X
        W = np.linalg.inv(self.observed(theta))
        first = derivative(self.V, theta)
        second = derivative(lambda t: derivative(self.V, t), theta)
        P = [-X.T @ inverse @ V_i @ inverse @ X for V_i in first]
        total = np.zeros_like(phi)
        for i, V_i in enumerate(first):
            for j, V_j in enumerate(first):
                Q = X.T @ inverse @ V_i @ inverse @ V_j @ inverse @ X
                R = 0.0 if linear else X.T @ inverse @ second[i, j] @ inverse @ X
                total += W[i, j] * (Q - P[i] @ phi @ P[j] - R / 4)
        return phi + 2 * phi @ total @ phi

    def kenward_roger_scale(self, theta, L):
        """lambda and m of Kenward & Roger 1997."""
        inverse, phi, X, q = np.linalg.inv(self.V(theta)), self.phi(theta), self.X, len(L)
        W = np.linalg.inv(self.observed(theta))
        theta_matrix = L.T @ np.linalg.inv(L @ phi @ L.T) @ L
        P = [-X.T @ inverse @ V_i @ inverse @ X for V_i in derivative(self.V, theta)]
        A1 = A2 = 0.0
        for i, P_i in enumerate(P):
            for j, P_j in enumerate(P):
                left, right = theta_matrix @ phi @ P_i @ phi, theta_matrix @ phi @ P_j @ phi
                A1 += W[i, j] * np.trace(left) * np.trace(right)
                A2 += W[i, j] * np.trace(left @ right)
        B = (A1 + 6 * A2) / (2 * q)
        g = ((q + 1) * A1 - (q + 4) * A2) / ((q + 2) * A2)
        c1, c2, c3 = (number / (3 * q + 2 * (1 - g)) for number in (g, q - g, q + 2 - g))
        mean = 1 / (1 - A2 / q)
        variance = 2 / q * (1 + c1 * B) / ((1 - c2 * B) ** 2 * (1 - c3 * B))
        rho = variance / (2 * mean**2)
        m = 4 + (q + 2) / (q * rho - 1)
        return m / (mean * (m - 2)), m

    def cr2(self, theta, weights):
        """The robust variance of l'b and its degrees of freedom, with matrices over all values."""
        V, X, phi = self.V(theta), self.X, self.phi(theta)
        inverse = np.linalg.inv(V)
        keep = np.eye(len(V)) - X @ phi @ X.T @ inverse
        r = keep @ self.y
        variance, pulls = 0.0, []
        for own in np.unique(self.same, axis=0):
            V_s = V[np.ix_(own, own)]
            D = np.linalg.cholesky(V_s).T
            values, vectors = np.linalg.eigh(D @ (keep @ V @ keep.T)[np.ix_(own, own)] @ D.T)
            A = D.T @ (vectors / np.sqrt(values)) @ vectors.T @ D
            pull = weights @ phi @ X[own].T @ np.linalg.inv(V_s) @ A
            variance += (pull @ r[own]) ** 2
            pulls.append(pull @ keep[own])
        G = np.array(pulls) @ V @ np.array(pulls).T
        return variance, np.trace(G) ** 2 / np.trace(G @ G)
